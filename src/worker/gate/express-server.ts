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

/** Events beside `request` that hand a request to the app. */
const others = new Set<string | symbol>(['upgrade', 'connect', 'checkContinue', 'checkExpectation']);

/** V8 before 12 (Node 20) takes its slowest way in Reflect.construct, and later ones where a function calls the other. */
const byCall = Number.parseInt(process.versions.v8, 10) < 12;
const either = (called: Function, constructed: Function): Function => (byCall ? called : constructed);

/** To be called before any code of the app is loaded: from then on `createServer` knows an Express app. */
export function serveExpressFast(): void {
  for (const module of [http, https] as { createServer: (...args: never[]) => http.Server }[]) {
    const original = module.createServer;
    module.createServer = function createServer(first: unknown, second: unknown) {
      const [options, listener] = typeof first === 'function' ? [{}, first] : [first, second];
      if (!isExpress(listener)) return Reflect.apply(original, this, [first, second]);
      const birth = new Birth(listener);
      const server = Reflect.apply(original, this, [{ ...birth.options, ...(options as object) }, listener]);
      birth.watch(server);
      return server;
    };
  }
  syncBuiltinESMExports(); // for those who import it by its name
}

/**
 * How the requests and responses of an Express app are born. As node:http's own as soon as the server also hands
 * requests to others, who may write what Express can only be asked for, such as `req.query`.
 */
export class Birth {
  /** Of `createServer`; none where the app is one that Node would trip over. */
  readonly options: Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'> = {};
  readonly #app: unknown;
  #isPlain = false;

  constructor(app: Listener & ExpressApp) {
    this.#app = app;
    const req = new IncomingMessage(new Socket());
    if (hides(app.request, req) || hides(app.response, new ServerResponse(req))) return;
    this.options = {
      IncomingMessage: this.#bornWith(app.request, IncomingMessage) as typeof IncomingMessage,
      ServerResponse: this.#bornWith(app.response, ServerResponse) as typeof ServerResponse,
    };
  }

  /** From now on others may listen. */
  watch(server: http.Server): void {
    server.on('newListener', (event, listener) => {
      if (others.has(event) || (event === 'request' && listener !== this.#app)) this.#isPlain = true;
    });
  }

  #bornWith(prototype: object, Base: Constructor): unknown {
    const isPlain = (): boolean => this.#isPlain;
    // Without a name of their own: stack traces then have that of the class that `prototype` descends from.
    const born = either(
      function (this: object, first: unknown, second: unknown): object | void {
        if (isPlain()) return Reflect.construct(Base, [first, second]) as object;
        Reflect.apply(Base, this, [first, second]);
      },
      function (first: unknown, second: unknown): object {
        return Reflect.construct(Base, [first, second], isPlain() ? Base : new.target) as object;
      },
    );
    born.prototype = prototype;
    return born;
  }
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
