/**
 * The gate before `upgrade` and `connect` events, which hand a connection over and never reach a middleware. It covers
 * every server, whoever makes it and whenever. Such a request counts until its handshake is answered: after that the
 * socket is a connection, not a request, and a page that stays open must not block every drain.
 */
import type { EventEmitter } from 'node:events';
import http, { ServerResponse, type IncomingMessage } from 'node:http';
import type { Http2ServerResponse } from 'node:http2';
import https from 'node:https';
import type { Socket } from 'node:net';
import { getRuntime } from '../process/runtime.ts';
import { noteUpgrade } from '../process/websockets.ts';
import { mayPass } from './shut/pass.ts';
import { notHeld, refusePaused } from './shut/paused.ts';

// A registered symbol: the app may have its own copy of the package.
const kGated = Symbol.for('quiesce.handshakes');
type Gated = EventEmitter & { [kGated]?: true };

/** How long a refused client may take to read the answer and leave, ms. */
const linger = 2_000;

const adding = ['on', 'addListener', 'prependListener'] as const;

/**
 * Gates each server that gets a listener for handshakes from now on. Only such a server pays for a check of each event.
 */
export function gateHandshakes(): void {
  for (const { prototype } of [http.Server, https.Server]) gateHandshakesOf(prototype);
}

/** Gates the servers that have this prototype, in the same way. */
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

/** Gates a server that already has such a listener. */
export function gateHandshakesAt(server: EventEmitter): void {
  if (Object.hasOwn(server, kGated)) return;
  Object.defineProperty(server, kGated, { value: true });
  const own = Object.getOwnPropertyDescriptor(server, 'emit')?.value as Function | undefined;
  // Looks up the prototype's `emit` at each event: an agent may wrap it later, and the auto-gate may be removed.
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

/** The connection on which a handshake is answered. */
interface Line {
  /** Handles errors until the handler has the connection. */
  guard(): void;
  unguard(): void;
  onAnswer(answered: () => void): void;
  beforeRefusal(res: ServerResponse): void;
}

function enterOrRefuse(req: IncomingMessage, res: ServerResponse, handle: () => void, line: Line): void {
  const runtime = getRuntime();
  const { gate } = runtime;
  // One server may pass a request on to another.
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
  else gate.hold(req, res, notHeld, enter, enter); // the pause may have a way in
}

function onSocket(socket: Socket): Line {
  const onError = (): void => void socket.destroy(); // nobody else listens until the handler has the socket
  return {
    guard: () => void socket.on('error', onError),
    unguard: () => void socket.off('error', onError),
    onAnswer(answered) {
      // The first write answers the handshake, even if it is `end`.
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

/** In HTTP/2, `connect` comes with a response, and the handler gets the response's stream. */
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
