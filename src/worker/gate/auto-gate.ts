/**
 * The gate of an app without a gate of its own: it stands before the app's servers as a whole, so that an app that does
 * not use quiesce can be held too. It is removed when the app calls `gate()`, which is more exact.
 */
import type { EventEmitter } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { Server } from 'node:net';
import { gateHandshakes, gateHandshakesAt, gateHandshakesOf } from './handshakes.ts';
import { holdDefaults, notHeld, waitOrRefuse } from './shut/paused.ts';
import type { Runtime } from '../process/runtime.ts';

/** The events with which node:http hands over a request. A server may pass a request on, even to another server. */
const requests = new Set<string | symbol>(['request', 'checkContinue', 'checkExpectation']);

/** Call this before any code of the app is loaded. */
export function gateServersWithout(runtime: Runtime): void {
  gateHandshakes();
  for (const { prototype } of [http.Server, https.Server]) gateAll(prototype, runtime);
}

/**
 * Gates servers of node:http2, whose classes are reachable only through their objects. Call it with each that listens.
 */
export function gateHttp2Without(runtime: Runtime, server: Server): void {
  if (!/^Http2(Secure)?Server$/.test(server.constructor.name)) return;
  const prototype = Object.getPrototypeOf(server) as EventEmitter;
  if (!Object.hasOwn(prototype, 'emit')) gateAll(prototype, runtime);
  gateHandshakesOf(prototype);
  if (server.listenerCount('upgrade') + server.listenerCount('connect') > 0) gateHandshakesAt(server);
}

/**
 * Whether it is a CORS preflight, which a browser sends before a request from a page of another origin (Fetch, section
 * 3.2.2). Only the app's own `cors()` can answer it, and the request that it allows may come after the pause. So it
 * passes a shut gate. It requests no work: OPTIONS is safe (RFC 9110, section 9.2.1), and a browser sends it without a
 * body.
 */
function isPreflight({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined &&
    headers['transfer-encoding'] === undefined &&
    Number(headers['content-length'] ?? 0) === 0
  );
}

function gateAll(prototype: EventEmitter, runtime: Runtime): void {
  // Not EventEmitter's own `emit`: an agent that was loaded earlier may have wrapped this one.
  const before = Object.getOwnPropertyDescriptor(prototype, 'emit');
  const forward = prototype.emit as (event: string | symbol, ...args: unknown[]) => boolean;
  const remove = (): void => {
    if (prototype.emit !== emit) return; // code that was loaded later wrapped ours, which then only passes events on
    if (before === undefined) Reflect.deleteProperty(prototype, 'emit');
    else Object.defineProperty(prototype, 'emit', before);
  };
  const emit: typeof forward = function (this: EventEmitter, event, ...args) {
    if (!requests.has(event)) return Reflect.apply(forward, this, [event, ...args]);
    const [req, res] = args as [IncomingMessage, ServerResponse];
    if (runtime.rules !== null) remove(); // from the next event on this costs nothing
    else if (
      !runtime.gate.has(req) &&
      !runtime.isExcepted(req) &&
      runtime.gate.tryEnter(req, res) === undefined &&
      !isPreflight(req)
    ) {
      void runtime.settings.then(({ maintenance }) => {
        const admit = (): void => void forward.call(this, event, req, res);
        waitOrRefuse(runtime, req, res, maintenance.onPause === 'hold' ? holdDefaults : notHeld, admit);
      });
      return true;
    }
    return forward.call(this, event, req, res);
  };
  prototype.emit = emit;
}
