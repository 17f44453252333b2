/**
 * Spares an Express app the dearest thing in its handling of a request: Express gives each request and response, made
 * by node:http, the prototypes of the app, and V8 lets an object whose prototype changes pay for that: a tenth of the
 * processor time of a small request on Node 24, more than half on 20 and 22. With options that node:http has for that,
 * they are born with these prototypes, and Express finds nothing to change.
 */
import http, { IncomingMessage, ServerResponse, type ServerOptions } from 'node:http';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import { Socket } from 'node:net';

/** An Express app, 4 or 5, is a function that carries the prototypes it gives. */
interface ExpressApp {
  readonly request: object;
  readonly response: object;
}

type Constructor = new (...args: never[]) => object;
type Listener = (req: IncomingMessage, res: ServerResponse) => unknown;

/** V8 before 12 (Node 20) takes its slowest way in Reflect.construct, and later ones where a function calls the other. */
const byCall = Number.parseInt(process.versions.v8, 10) < 12;

/** To be called before any code of the app is loaded: from then on `createServer` knows an Express app. */
export function serveExpressFast(): void {
  for (const module of [http, https] as { createServer: (...args: unknown[]) => unknown }[]) {
    const { createServer } = module;
    module.createServer = function (...args: unknown[]) {
      const [first, second] = args;
      const [options, listener] = typeof first === 'function' ? [{}, first] : [first ?? {}, second];
      return Reflect.apply(createServer, this, [{ ...expressOptions(listener), ...options }, listener]);
    };
  }
  syncBuiltinESMExports(); // for those who import it by its name
}

/** Options of `createServer` for what it is to serve; none where that is no Express app, or one that Node would trip over. */
export function expressOptions(listener: unknown): Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'> {
  if (!isExpress(listener)) return {};
  const req = new IncomingMessage(new Socket());
  if (hides(listener.request, req) || hides(listener.response, new ServerResponse(req))) return {};
  return {
    IncomingMessage: bornWith(listener.request, IncomingMessage) as typeof IncomingMessage,
    ServerResponse: bornWith(listener.response, ServerResponse) as typeof ServerResponse,
  };
}

function isExpress(listener: unknown): listener is Listener & ExpressApp {
  if (typeof listener !== 'function') return false;
  const { request, response } = listener as Partial<ExpressApp>;
  return request instanceof IncomingMessage && response instanceof ServerResponse;
}

/** Whether a prototype of the app's has a name of what Node gives each object: it would meet that instead of its own. */
function hides(prototype: object, made: object): boolean {
  const end = Object.getPrototypeOf(made) as object;
  const own = Reflect.ownKeys(made);
  for (let link = prototype; link !== end; link = Object.getPrototypeOf(link) as object) {
    if (own.some((name) => Object.hasOwn(link, name))) return true;
  }
  return false;
}

function bornWith(prototype: object, Base: Constructor): unknown {
  function Called(this: object, first: unknown, second: unknown): void {
    Reflect.apply(Base, this, [first, second]);
  }
  function Constructed(first: unknown, second: unknown): object {
    return Reflect.construct(Base, [first, second], Constructed) as object;
  }
  const born = byCall ? Called : Constructed;
  born.prototype = prototype;
  return born;
}
