/** The workers of a primary, before there is anybody who decides about their gates: they start shut. */
import type { Logger } from 'pino';
import type { AppConfig } from '../../config.ts';
import { HeldEvents } from './held-events.ts';
import { Supervisor } from './supervisor.ts';
import { workerSettingsOf } from './worker-settings.ts';

export interface Crew {
  readonly supervisor: Supervisor;
  /** To be released to whoever decides about gates. */
  readonly events: HeldEvents;
}

export interface CrewOptions {
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** Another primary serves: no worker listens before `supervisor.take()`. */
  readonly beside: boolean;
  readonly log: Logger;
}

/** None is forked yet. */
export function newCrew(config: AppConfig, options: CrewOptions): Crew {
  const events: HeldEvents = new HeldEvents(
    (ref) => void supervisor.send(ref, { type: 'welcome', epoch: 0, settings: workerSettingsOf(config) }),
  );
  const supervisor: Supervisor = new Supervisor(config, {
    ...options,
    events,
    lastBeat: (ref) => events.lastBeat(ref),
  });
  return { supervisor, events };
}
