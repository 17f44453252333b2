/**
 * kill -9 of the primary under load: what it costs requests in flight, and what those get that come afterwards. Beside PM2, and
 * beside a primary without a keeper that is started again in a loop, after the 100 ms that systemd waits by default.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster, type ClusterOptions } from '../../dev/cluster/cluster.ts';
import { Load } from '../../dev/load/load.ts';
import { publish, show, spread, table } from '../report.ts';
import { app, pm2 } from './subjects.ts';

const kills = 6;
/** A site that has not answered by then is taken to stay down, ms. */
const patience = 15_000;
const restartDelay = 100;

interface Site {
  readonly url: string;
  readonly primary: () => Promise<number>;
  stop(): Promise<void>;
}

interface Subject {
  readonly name: string;
  /** It comes back by itself, so it is killed again and again. */
  readonly returns: boolean;
  start(): Promise<Site>;
}

interface Kill {
  /** Requests that had begun, or went out on a connection to a worker that was just ending, and have no answer. */
  readonly lost: number;
  readonly refused: number;
  /** ms until the last refusal; 0 where there was none. */
  readonly refusing: number;
  /** ms until the first answer of a request that was begun afterwards; null where there is none. */
  readonly back: number | null;
  /** ms, of those that were begun afterwards and answered before the site was at its pace again. */
  readonly longest: number;
}

function cluster(name: string, options: ClusterOptions, loop: boolean): Subject {
  return {
    name,
    returns: true,
    async start() {
      const site = await startCluster({ script: app, ...options });
      let isOver = false;
      const again = async (): Promise<void> => {
        for (;;) {
          await site.exited;
          await delay(restartDelay);
          if (isOver) return;
          site.launch();
        }
      };
      if (loop) void again();
      return {
        url: site.url,
        primary: async () => (await site.ready()).pid,
        async stop() {
          isOver = true;
          await site.stop();
          await site.close();
        },
      };
    },
  };
}

const rival: Subject = {
  name: 'PM2',
  returns: false,
  async start() {
    const running = await pm2('PM2').start();
    return {
      url: running.url,
      primary: async () => running.primary,
      stop: () => running.stop().catch(() => undefined),
    };
  },
};

async function killOnce({ url, primary }: Site): Promise<Kill> {
  const outcomes: { outcome: number | string; began: number; ended: number }[] = [];
  const onOutcome = (outcome: number | string, began: number, ended: number): void =>
    void outcomes.push({ outcome, began, ended });
  const load = { url, paths: ['/?ms=100'], connections: 12, timeout: patience, onOutcome };
  const loads = [true, false].map((keepAlive) => new Load({ ...load, keepAlive }));
  const pid = await primary();
  await delay(500);
  const at = Date.now();
  process.kill(pid, 'SIGKILL');
  // Begun well after it: in the first moments the workers, which end by themselves, still accept.
  const isBack = (): boolean => outcomes.some(({ outcome, began }) => outcome === 200 && began > at + 50);
  while (!isBack() && Date.now() - at < patience) await delay(20);
  await delay(1_000);
  await Promise.all(loads.map((each) => each.stop()));
  const later = outcomes.filter(({ began }) => began > at);
  const refusals = later.filter(({ outcome }) => outcome === 'ECONNREFUSED');
  const answers = later.filter(({ outcome, began }) => outcome === 200 && began > at + 50);
  return {
    lost: outcomes.filter(({ outcome, ended }) => ended >= at && outcome !== 200 && outcome !== 'ECONNREFUSED').length,
    refused: refusals.length,
    refusing: Math.max(0, ...refusals.map(({ ended }) => ended - at)),
    back: answers.length === 0 ? null : Math.min(...answers.map(({ ended }) => ended - at)),
    longest: Math.max(0, ...answers.map(({ began, ended }) => ended - began)),
  };
}

const subjects = [
  cluster('quiesce start', { keeper: true }, false),
  cluster('quiesce start --no-keeper, restarted after 100 ms', { keeper: false }, true),
  rival,
];

const all: { readonly name: string; readonly killed: Kill[] }[] = [];
for (const subject of subjects) {
  const site = await subject.start();
  await delay(1_500); // a healthy site is killed
  const killed: Kill[] = [];
  for (let kill = 0; kill < (subject.returns ? kills : 1); kill++) killed.push(await killOnce(site));
  await site.stop();
  all.push({ name: subject.name, killed });
}

const base = all[0]!.killed.map(({ back }) => back ?? Number.NaN);
const perKill = (killed: readonly Kill[], of: (kill: Kill) => number): string => show(spread(killed.map(of)), 0);
const rows = all.map(({ name, killed }) => {
  const backs = killed.flatMap(({ back }) => back ?? []);
  const isDown = backs.length === 0;
  return [
    name,
    perKill(killed, ({ lost }) => lost),
    perKill(killed, ({ refused }) => refused),
    isDown ? 'for ever' : perKill(killed, ({ refusing }) => refusing),
    isDown ? 'never' : show(spread(backs), 0),
    isDown ? 'never' : show(spread(backs.map((back, kill) => back / base[kill]!))),
    isDown ? 'no answer' : perKill(killed, ({ longest }) => longest),
  ];
});
await publish(
  'kill-primary',
  table(
    [
      'supervisor',
      'requests lost',
      'connections refused',
      'refused for, ms',
      'first answer afterwards, ms',
      'as a ratio to quiesce start',
      'longest wait for an answer, ms',
    ],
    rows,
  ),
  'kill',
);
