/**
 * The gate of an app that has none of its own: its servers stand behind one as a whole, so that an app that knows
 * nothing of quiesce can be held as well. It goes as soon as the app calls `gate()`, which knows better.
 */
import { EventEmitter } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import { holdDefaults, notHeld, waitOrRefuse } from './admission.ts';
import type { Runtime } from './runtime.ts';

type Emit = typeof EventEmitter.prototype.emit;

/** To be called before any code of the app is loaded. */
export function gateServersWithout(runtime: Runtime): void {
  const prototypes: { emit: Emit }[] = [http.Server.prototype, https.Server.prototype];
  const inherited = EventEmitter.prototype.emit;
  const remove = (): void => {
    for (const prototype of prototypes) Reflect.deleteProperty(prototype, 'emit');
  };
  const emit: Emit = function (this: EventEmitter, event, ...args: unknown[]) {
    const forward = (): boolean => Reflect.apply(inherited, this, [event, ...args]);
    if (event !== 'request') return forward();
    if (runtime.rules !== null) {
      remove(); // from the next event on this costs nothing any more
      return forward();
    }
    const [req, res] = args as [IncomingMessage, ServerResponse];
    if (runtime.gate.tryEnter(req, res) !== undefined) return forward();
    void runtime.settings.then(({ maintenance }) => {
      waitOrRefuse(runtime, req, res, maintenance.onPause === 'hold' ? holdDefaults : notHeld, forward);
    });
    return true;
  };
  for (const prototype of prototypes) prototype.emit = emit;
}
