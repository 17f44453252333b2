/** `gate()`: the middleware that must be the first of an app. */
import type { RequestHandler } from 'express';
import { gateHandshakes } from './handshakes.ts';
import { holdDefaults, notHeld, waitOrRefuse } from './shut/paused.ts';
import { getRuntime } from '../process/runtime.ts';
import { findSpecial } from './routes/special-routes.ts';
import { markGate } from './routes/ungated.ts';
import { isBelow } from './routes/target.ts';

/** The options of {@link gate}. */
export interface GateOptions {
  /** Paths that are never gated: equal to the string, or below it, or matching the expression. Default none. */
  except?: (string | RegExp)[];
  /** What a request gets during a pause: 503 at once, or a wait for the resume. Default `maintenance.on_pause`. */
  onPause?: 'refuse' | 'hold';
  /** How many requests may wait in one worker; the next one gets 503. Default 1000. */
  holdLimit?: number;
  /** How long a request may wait, ms; then it gets 503. Default 30 000. */
  holdTimeout?: number;
  /** Lets GET and HEAD pass at any time. They do not count as in flight. Default false. */
  readOnly?: boolean;
}

/**
 * Express middleware, the first of an app: admits, refuses (503 `paused` with `Retry-After`) or holds requests, and
 * counts each admitted request as in flight until its work has ended.
 *
 * @throws TypeError if an option has the wrong type.
 */
export function gate(options: GateOptions = {}): RequestHandler {
  const {
    except = [],
    onPause,
    readOnly = false,
    holdLimit = holdDefaults.limit,
    holdTimeout = holdDefaults.timeout,
  } = options;
  validate(options);
  const runtime = getRuntime();
  const isExcepted = (path: string): boolean =>
    except.some((rule) => (typeof rule === 'string' ? isBelow(path, rule) : path.search(rule) !== -1));
  const excepts = (expression: RegExp): boolean => except.some((rule) => String(rule) === String(expression));
  const rules = { hasExceptions: except.length > 0, isExcepted, excepts };
  runtime.rules = rules;
  gateHandshakes();
  const hold = { limit: holdLimit, timeout: holdTimeout };
  let mode = onPause;
  if (mode === undefined) void runtime.settings.then((settings) => (mode ??= settings.maintenance.onPause));

  return markGate(function quiesceGate(req, res, next) {
    if (runtime.gate.has(req)) return next(); // a second gate, or `listen` was first
    if (readOnly && (req.method === 'GET' || req.method === 'HEAD')) return next();
    if (runtime.isExcepted(req, rules)) return next();
    if (runtime.gate.tryEnter(req, res) !== undefined) return next();
    const found = runtime.gate.state === 'shut' ? findSpecial(req) : undefined;
    if (found !== undefined) {
      const { run } = runtime.gate.info;
      if (run !== null && !found.special.isFree(req)) return found.special.refuse(req, res, run, found);
      runtime.gate.enterShut(req, res);
      return next();
    }
    waitOrRefuse(runtime, req, res, mode === 'hold' ? hold : notHeld, next, rules);
  });
}

function validate(options: GateOptions): void {
  const bad = (name: string, allowed: string): never => {
    throw new TypeError(
      `gate(): ${name} must be ${allowed}, not ${JSON.stringify(options[name as keyof GateOptions])}.`,
    );
  };
  const { except, onPause, holdLimit, holdTimeout, readOnly } = options;
  const isRule = (rule: unknown): boolean =>
    rule instanceof RegExp || (typeof rule === 'string' && rule.startsWith('/'));
  if (except !== undefined && !(Array.isArray(except) && except.every(isRule)))
    bad('except', "an array of paths that begin with '/' or of RegExp");
  if (onPause !== undefined && onPause !== 'refuse' && onPause !== 'hold') bad('onPause', "'refuse' or 'hold'");
  if (holdLimit !== undefined && !(Number.isInteger(holdLimit) && holdLimit >= 0))
    bad('holdLimit', 'a whole number of requests');
  if (holdTimeout !== undefined && !(holdTimeout >= 0 && holdTimeout < 2 ** 31))
    bad('holdTimeout', 'a number of milliseconds');
  if (readOnly !== undefined && typeof readOnly !== 'boolean') bad('readOnly', 'true or false');
  for (const name of Object.keys(options)) {
    if (!['except', 'onPause', 'holdLimit', 'holdTimeout', 'readOnly'].includes(name)) {
      throw new TypeError(
        `gate(): there is no option '${name}'. There are except, onPause, holdLimit, holdTimeout and readOnly.`,
      );
    }
  }
}
