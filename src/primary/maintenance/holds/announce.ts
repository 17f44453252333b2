/** Logs what happened to a scheduled hold. */
import type { Logger } from 'pino';
import type { WaitingRequest } from '../../../protocol/api/runs.ts';
import type { Effect, ScheduledHold } from '../machine/state.ts';
import { stillInFlight } from './still-in-flight.ts';

type Log = Pick<Logger, 'info' | 'warn'>;

export function announce(
  { what, hold }: Omit<Extract<Effect, { type: 'announce' }>, 'type'>,
  log: Log,
  waitingFor: readonly WaitingRequest[] = [],
): void {
  const scheduled = { at: new Date(hold.at).toISOString(), ...(hold.by === null ? {} : { by: hold.by }) };
  switch (what) {
    case 'begun':
      return log.info({ scheduled }, 'the scheduled hold starts');
    case 'missed':
      return log.warn({ scheduled }, missedText(hold));
    case 'overdue':
      return log.warn(
        { scheduled, waitingFor },
        `the scheduled hold has not come to rest in the drain timeout. It stays, and \`quiesce maintenance off\` ends it.${stillInFlight(waitingFor, ({ path }) => path)}`,
      );
    default:
      return what satisfies never;
  }
}

function missedText({ at, lasts }: ScheduledHold): string {
  const until = new Date(at + (lasts ?? 0)).toISOString();
  return `the hold that was scheduled from ${new Date(at).toISOString()} to ${until} is dropped: its time passed while no primary was running`;
}
