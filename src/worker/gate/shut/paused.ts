/** Decides whether a request that comes during a pause waits or is refused. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { QuiesceError } from '../../../errors.ts';
import type { Runtime } from '../../process/runtime.ts';
import type { HoldLimits } from './held.ts';
import { refuse } from './refusal.ts';
import { passes } from './pass.ts';
import { plainPathOf } from '../routes/target.ts';

/** The limits if `onPause` is 'hold' and no others are given. */
export const holdDefaults: HoldLimits = { limit: 1_000, timeout: 30_000 };
export const notHeld: HoldLimits = { limit: 0, timeout: 0 };

/**
 * Lets a request wait within the limits, and refuses it otherwise. The settings may turn out to except a request that
 * came before they did.
 */
export function waitOrRefuse(
  runtime: Runtime,
  req: IncomingMessage,
  res: ServerResponse,
  limits: HoldLimits,
  next: () => void,
  rules = runtime.rules,
): void {
  if (runtime.neverHeld.has(plainPathOf(req) ?? '')) return next();
  if (passes(runtime, req, res, next)) return;
  const admit = (): void => {
    if (runtime.isExcepted(req, rules) || runtime.gate.tryEnter(req, res) !== undefined) next();
    else if (!passes(runtime, req, res, next)) refusePaused(runtime, req, res);
  };
  const orRefuse = (): void => {
    if (runtime.isExcepted(req, rules)) next();
    else if (!passes(runtime, req, res, next)) refusePaused(runtime, req, res);
  };
  runtime.gate.hold(req, res, limits, admit, orRefuse);
}

export function refusePaused(runtime: Runtime, req: IncomingMessage, res: ServerResponse): void {
  const { gate } = runtime;
  gate.refused++;
  if (gate.state === 'lost') return refuse(req, res, goneError(), { page: true, headers: { 'Retry-After': '1' } });
  const { holds } = gate.info;
  const reasons = holds.map((hold) => hold.reason).filter((reason) => reason !== '');
  const detail = `Requests are refused while maintenance is going on${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}. Try again in ${gate.retryAfter} s.`;
  const error = new QuiesceError('paused', detail, { extra: { holds } });
  refuse(req, res, error, { page: true, headers: { 'Retry-After': String(gate.retryAfter) } });
}

function goneError(): QuiesceError {
  return new QuiesceError('no-primary', 'The primary is gone and this worker is stopping. Try again in a moment.');
}
