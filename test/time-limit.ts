/**
 * For `mocha --require`: with `TESTS_UNTIL` (seconds since 1970), a test that has not started by then is left out and
 * counted as pending. So a slow machine runs fewer tests in the time that it has, and fails none for it.
 */
import type { Context } from 'mocha';

/** Without the variable: no limit. */
export function isOver(variable: string | undefined, now: number): boolean {
  return variable !== undefined && now >= Number(variable) * 1_000;
}

function leaveOutWhenOver(this: Context): void {
  if (isOver(process.env['TESTS_UNTIL'], Date.now())) this.skip();
}

/** `beforeAll` spares the hooks of a whole file, such as the start of its cluster. */
export const mochaHooks = { beforeAll: leaveOutWhenOver, beforeEach: leaveOutWhenOver };
