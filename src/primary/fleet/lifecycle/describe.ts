/** Makes the log entry for each effect of the lifecycle model. */
import type { Effect } from './state.ts';
import type { WorkerExit } from '../../ports.ts';
import { keyOf } from '../../worker-ref.ts';

export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly text: string;
}

const raisedByCleanUps: ReadonlySet<string | number | null> = new Set(['SIGINT', 'SIGTERM', 130, 143]);

/** SIGKILL is our own, and has a line of its own. A shell's 128 + n stands for a signal that was sent to the app. */
function endedWell({ code, signal }: WorkerExit): boolean {
  return code === 0 || signal === 'SIGKILL' || raisedByCleanUps.has(signal ?? code);
}

/** Null for effects that are logged where they are carried out. */
export function logEntry(effect: Effect, waitReady: boolean): LogEntry | null {
  switch (effect.type) {
    case 'fork':
    case 'settle':
      return null;
    case 'stop':
      return { level: 'info', fields: effect.ref, text: `worker ${keyOf(effect.ref)} is to finish` };
    case 'kill':
      return { level: 'warn', fields: effect.ref, text: `worker ${keyOf(effect.ref)} is killed: ${effect.why}` };
    case 'retired':
      return {
        level: 'warn',
        fields: effect.ref,
        text: `worker ${keyOf(effect.ref)} is to be replaced: ${effect.why}`,
      };
    case 'ended': {
      const { ref, exit } = effect;
      const how = `worker ${keyOf(ref)} ended with ${exit.signal ?? `code ${exit.code}`}`;
      if (exit.cause === 'planned') {
        if (endedWell(exit)) return { level: 'info', fields: { ...ref, exit }, text: how };
        const last = exit.reason ?? 'it wrote nothing more';
        return { level: 'warn', fields: { ...ref, exit }, text: `${how} when it was to finish: ${last}` };
      }
      const why = exit.reason === undefined ? exit.cause : `${exit.cause}, ${exit.reason}`;
      return { level: exit.cause === 'memory' ? 'warn' : 'error', fields: { ...ref, exit }, text: `${how}: ${why}` };
    }
    case 'backoff': {
      const { slot, delay, looping } = effect;
      const what = looping ? 'its workers keep failing; the next one starts' : 'the next worker starts';
      return { level: 'warn', fields: { slot, delay }, text: `slot ${slot}: ${what} in ${delay} ms` };
    }
    case 'slow': {
      const hint = waitReady
        ? "with wait_ready the app has to call process.send('ready')"
        : 'it has to listen on a port';
      const text = `worker ${keyOf(effect.ref)} is not ready after ${effect.after} ms; ${hint}`;
      return { level: 'warn', fields: effect.ref, text };
    }
  }
}
