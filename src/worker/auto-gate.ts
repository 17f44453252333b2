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
    if (event !== 'request') return Reflect.apply(inherited, this, [event, ...args]);
    const [req, res] = args as [IncomingMessage, ServerResponse];
    if (runtime.rules !== null) remove(); // from the next event on this costs nothing any more
    else if (runtime.gate.tryEnter(req, res) === undefined) {
      void runtime.settings.then(({ maintenance }) => {
        const forward = (): void => void inherited.call(this, event, req, res);
        waitOrRefuse(runtime, req, res, maintenance.onPause === 'hold' ? holdDefaults : notHeld, forward);
      });
      return true;
    }
    return inherited.call(this, event, req, res);
  };
  for (const prototype of prototypes) prototype.emit = emit;
}
