/**
 * The gate before `upgrade` and `connect`, which hand a connection over and never reach a middleware: before those of
 * every server, whoever made it and whenever. Such a request counts until its handshake is answered: what follows on
 * the socket is a connection, not a request, and a page that stays open must not keep every drain from ending.
 */
import type { EventEmitter } from 'node:events';
import http, { ServerResponse, type IncomingMessage } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import https from 'node:https';
import type { Socket } from 'node:net';
import { getRuntime } from '../process/runtime.ts';
import { noteUpgrade } from '../process/websockets.ts';
import { mayPass } from './pass.ts';
import { notHeld, refusePaused } from './paused.ts';

// Registered: the app may carry a copy of the package of its own.
const kGated = Symbol.for('quiesce.handshakes');
type Gated = EventEmitter & { [kGated]?: true };

/** How long a client that is refused may take to read that and leave, ms. */
const linger = 2_000;

const adding = ['on', 'addListener', 'prependListener'] as const;

/** Whichever server is listened to for handshakes from now on. Only such a server pays for the look at each event. */
export function gateHandshakes(): void {
  for (const { prototype } of [http.Server, https.Server]) gateHandshakesOf(prototype);
}

/** The same for the servers that have this prototype. */
export function gateHandshakesOf(prototype: Gated): void {
  if (Object.hasOwn(prototype, kGated)) return;
  Object.defineProperty(prototype, kGated, { value: true });
  for (const name of adding) {
    const add = prototype[name] as (event: string | symbol, listener: (...args: unknown[]) => void) => unknown;
    // `once` and `prependOnceListener` call these.
    const gated: typeof add = function (this: EventEmitter, event, listener) {
      if (isHandshake(event)) gateHandshakesAt(this);
      return Reflect.apply(add, this, [event, listener]);
    };
    Object.defineProperty(prototype, name, { value: gated, configurable: true, writable: true });
  }
}

/** The same for a server that is listened to already. */
export function gateHandshakesAt(server: EventEmitter): void {
  if (Object.hasOwn(server, kGated)) return;
  Object.defineProperty(server, kGated, { value: true });
  const own = Object.getOwnPropertyDescriptor(server, 'emit')?.value as Function | undefined;
  // Its prototype's as it is then: an agent may come later, and the gate of an app that has none may go.
  const emit = (args: readonly unknown[]): boolean =>
    Reflect.apply(own ?? (Object.getPrototypeOf(server) as EventEmitter).emit, server, args) as boolean;
  server.emit = ((...all: unknown[]) => {
    const [event, ...args] = all;
    if (!isHandshake(event)) return emit(all);
    const [req, to] = args as [IncomingMessage, Socket | Http2ServerResponse];
    const handle = (): void => {
      if (event === 'upgrade') noteUpgrade(req, to as Socket);
      emit(all);
    };
    if ('stream' in to) enterOrRefuse(req, to as unknown as ServerResponse, handle, onHttp2(to));
    else enterOrRefuse(req, new ServerResponse(req), handle, onSocket(to));
    return true;
  }) as typeof server.emit;
}

function isHandshake(event: unknown): boolean {
  return event === 'upgrade' || event === 'connect';
}

/** What a handshake is answered on. */
interface Line {
  /** Until its handler has it. */
  guard(): void;
  unguard(): void;
  onAnswer(answered: () => void): void;
  beforeRefusal(res: ServerResponse): void;
}

function enterOrRefuse(req: IncomingMessage, res: ServerResponse, handle: () => void, line: Line): void {
  const runtime = getRuntime();
  const { gate } = runtime;
  // One server may hand on to another.
  if (gate.has(req) || runtime.isExcepted(req)) return handle();
  line.guard();
  const refuse = (): void => {
    line.beforeRefusal(res);
    refusePaused(runtime, req, res);
  };
  const enter = (): void => {
    const entry = gate.tryEnter(req, res) ?? (mayPass(runtime, req) ? gate.enterHeld(req, res) : undefined);
    if (entry === undefined) return refuse();
    line.onAnswer(() => gate.done(entry));
    line.unguard();
    handle();
  };
  if (gate.state !== 'starting') enter();
  else gate.hold(req, res, notHeld, enter, enter); // a pause may be one that it passes
}

function onSocket(socket: Socket): Line {
  const onError = (): void => void socket.destroy(); // nobody else listens until the handler has the socket
  return {
    guard: () => void socket.on('error', onError),
    unguard: () => void socket.off('error', onError),
    onAnswer(answered) {
      // The first that is written answers it, also where it is the last.
      const { write, end } = socket;
      const call = (method: typeof write | typeof end, args: readonly unknown[]): unknown => {
        socket.write = write;
        socket.end = end;
        answered();
        return Reflect.apply(method, socket, args);
      };
      socket.write = ((...args: unknown[]) => call(write, args)) as typeof write;
      socket.end = ((...args: unknown[]) => call(end, args)) as typeof end;
      socket.once('close', answered);
    },
    beforeRefusal(res) {
      res.shouldKeepAlive = false;
      res.assignSocket(socket);
      res.once('finish', () => {
        socket.end();
        setTimeout(() => socket.destroy(), linger).unref();
      });
    },
  };
}

/** Of HTTP/2 a `connect` comes with a response, whose stream is what is handed over. */
function onHttp2({ stream }: Http2ServerResponse): Line {
  return {
    guard() {},
    unguard() {},
    onAnswer(answered) {
      const { respond } = stream;
      stream.respond = (...args: Parameters<typeof respond>) => {
        stream.respond = respond;
        answered();
        respond.apply(stream, args);
      };
      stream.once('close', answered);
    },
    beforeRefusal() {},
  };
}
