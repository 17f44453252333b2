/** Connects notices and outbox to the running cluster, which waits for neither. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Router } from 'express';
import type { Logger } from 'pino';
import type { QuiesceError } from '../../errors.ts';
import { shownReceiver } from '../../config/values/receivers.ts';
import type { NotifyTest } from '../../protocol/api/notify-test.ts';
import type { Writer } from '../handover/give-up.ts';
import type { Coordinator } from '../maintenance/coordinator.ts';
import type { Observers } from '../live/observers.ts';
import type { InForce } from '../reload/reloads.ts';
import type { RunStore } from '../runs/history/history.ts';
import type { Ticks } from '../ticks.ts';
import { Notices } from './notices.ts';
import { Outbox } from './outbox.ts';
import { upToDateAt } from '../runs/history/of-mirror.ts';

export interface NotifierDeps {
  readonly dataDir: string;
  readonly inForce: InForce;
  readonly coordinator: Pick<Coordinator, 'holds' | 'onChange'>;
  readonly observers: Pick<Observers, 'add'>;
  readonly runs: Pick<RunStore, 'list'>;
  /** Which host tells of what all of them see; null where there is one. */
  readonly ticks: Ticks | null;
  /** The site has served before, under a primary that died. */
  readonly again: boolean;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

export interface Notifier extends Writer {
  /** `POST /api/notify/test`, on the control socket. */
  readonly route: Router;
  fetchFailed(source: string, error: QuiesceError): void;
  /** This primary has taken over from one that it was to replace, and serves. */
  replaced(): void;
  restore(): Promise<void>;
  close(): Promise<void>;
}

const interval = 1_000;

export async function notifier(deps: NotifierDeps): Promise<Notifier> {
  const { inForce, coordinator, observers, runs, ticks, log } = deps;
  const receivers = (): InForce['config']['notify'] => inForce.config.notify;
  const outbox = await Outbox.open({ file: join(deps.dataDir, 'notify.json'), receivers, log });
  const notices = new Notices({
    app: inForce.config.name,
    host: hostname(),
    receivers,
    holds: () => coordinator.holds(),
    lastMirror: () => lastUpToDate(runs),
    outbox,
    ticks,
  });
  observers.add(notices);
  const look = (): void => {
    try {
      notices.holdsChanged();
    } catch (err) {
      log.error({ err }, 'the notices about holds failed; the site itself is not affected');
    }
  };
  let forget = (): void => {};
  let timer: NodeJS.Timeout | undefined;
  const begin = (): void => {
    forget = coordinator.onChange(look);
    look();
    timer = setInterval(() => {
      notices.tick(Date.now());
      outbox.pump(Date.now());
    }, interval).unref();
  };
  const suspend = (): Promise<void> => {
    clearInterval(timer);
    forget();
    return outbox.close();
  };
  begin();
  if (deps.again) notices.restarted();

  const route = Router();
  route.post('/api/notify/test', async (_request, response) => {
    const results = await outbox.test(notices.make('test', 'This is a test of quiesce notify.'));
    const answer: NotifyTest = {
      receivers: results.map(({ receiver, answer: { outcome, text } }) => ({
        receiver: shownReceiver(receiver),
        delivered: outcome === 'delivered',
        answer: text,
      })),
    };
    response.json(answer);
  });
  return {
    route,
    fetchFailed: (...failure) => notices.fetchFailed(...failure),
    replaced: () => notices.replaced(process.pid),
    restore: () => outbox.restore(),
    suspend,
    resume: () => {
      outbox.reopen();
      begin();
    },
    close: suspend,
  };
}

/** Of all mirrors, the newest. A feed that its server has confirmed leaves no run of its own. */
function lastUpToDate(runs: Pick<RunStore, 'list'>): string | null {
  const times = runs
    .list(Infinity, ({ kind, state }) => kind === 'sync' && state === 'succeeded')
    .flatMap((run) => upToDateAt(run) ?? []);
  return times.sort().at(-1) ?? null;
}
