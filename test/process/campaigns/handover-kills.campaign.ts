/**
 * `npm run campaign:handover`: SIGKILL to the old primary, the new one, or the keeper, at QUIESCE_CAMPAIGN moments of a
 * handover each, under an operator's hold and under load. The keeper is started again by a loop, as by a service manager.
 *
 * A moment is a line of the log and a time after it, so that the short steps of a handover are met as often as the long ones.
 *
 * With QUIESCE_CAMPAIGN_FILE each moment that has ended well is written there, and none of them is repeated: a long campaign
 * may be broken off, and one that has failed goes on with the moment at which it did.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { Load } from '../../../dev/load/load.ts';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { isAlive } from '../harness/processes.ts';
import { startQuiesce } from '../harness/commands/running-command.ts';
import { until } from '../harness/until.ts';
import { Met } from './met.ts';

const plain = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));
const moments = Number(process.env['QUIESCE_CAMPAIGN'] ?? 50);
if (!Number.isInteger(moments) || moments < 1) throw new Error('QUIESCE_CAMPAIGN takes a number of moments, from 1 on');
const instances = 2;
const victims = ['the old primary', 'the new primary', 'the keeper'] as const;
/** How long `reload --primary` may take, whatever happens to it, ms. */
const longestOrder = 120_000;

const steps = [
  /reload --primary, requested/,
  /a new primary is started beside/,
  /worker 0\.1 started/,
  /worker \d\.1 is prepared/,
  /prepared to take over/,
  /is handed over to the successor/,
  /The dashboard is up/,
  /is ready/,
  /the successor serves/,
  /worker \d\.1 ended/,
] as const;
const times = [0, 4, 15, 60, 200];

interface Moment {
  readonly step: RegExp;
  readonly after: number;
}

/** So many: early steps and late ones in turn, each as often as the others, and with each time before one comes again. */
const all: Moment[] = Array.from({ length: moments }, (_, index) => ({
  step: steps[(3 * index) % steps.length]!,
  after: times[(index + Math.floor(index / steps.length)) % times.length]!,
}));
const met = new Met(process.env['QUIESCE_CAMPAIGN_FILE']);

describe('a handover in which somebody is killed', function () {
  this.timeout(60_000 + moments * longestOrder);
  let isOver = false;
  let loads: Load[] = [];
  // Before the clusters end: a test that was given up leaves a loop and traffic, which go on for ever.
  afterEach('loop and traffic ended', () => {
    isOver = true;
    for (const load of loads) void load.stop();
  });
  const clusters = usePlainClusters();
  after(() =>
    console.log(
      met.table(
        steps.map(({ source }) => source),
        victims,
      ),
    ),
  );

  /** The processes that the keeper has started, in the order of their starts. */
  function primariesOf({ pid }: Cluster): number[] {
    try {
      return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
      return []; // the keeper has gone
    }
  }

  /** At rest under the hold: one primary, all workers, nothing to warn of. */
  const settled = (cluster: Cluster, what: string): Promise<ClusterStatus> =>
    until(
      what,
      async () => {
        const status = await cluster.status().catch(() => null);
        if (status === null || status.phase !== 'quiesced' || status.warnings !== undefined) return undefined;
        const isWhole =
          status.workers.length === instances && status.workers.every(({ state }) => state === 'quiesced');
        return isWhole && primariesOf(cluster).length === 1 ? status : undefined;
      },
      { within: 90_000 },
    );

  /** Whether a request gets an answer, which is a refusal under the hold. */
  const answers = (port: number): Promise<number | undefined> =>
    new Promise((resolve) => {
      const request = http.get({ host: '127.0.0.1', port, agent: false, timeout: 20_000 }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.once('error', () => resolve(undefined));
      request.once('timeout', () => request.destroy(new Error('no answer')));
    });

  /** Those who have begun to own the site in this output, and those who have given it up. */
  function owners(output: string): { began: number[]; yielded: Set<number> } {
    const said = (text: string): number[] =>
      [...output.matchAll(new RegExp(`"pid":(\\d+)[^\\n]*${text}`, 'g'))].map(([, pid]) => Number(pid));
    return { began: said('The dashboard is up'), yielded: new Set(said('is handed over to the successor')) };
  }

  for (const victim of victims)
    it(`ends well: ${victim}, at ${moments} moments`, async () => {
      const left = [...all.entries()].filter(([index]) => !met.has(victim, index));
      if (left.length === 0) return;
      const cluster = await clusters.start({ script: plain, keeper: true, group: true, instances });
      await cluster.control.maintenance({ on: true, wait: true, reason: 'kept' });
      isOver = false;
      const loop = (async () => {
        for (;;) {
          await cluster.exited;
          if (isOver) return;
          cluster.launch();
        }
      })();
      loads = [true, false].map(
        (keepAlive) => new Load({ url: cluster.url, connections: 2, keepAlive, pause: 20, timeout: 60_000 }),
      );
      for (const [index, { step, after: ms }] of left) {
        const what = `${victim}, moment ${index + 1} of ${moments}, ${ms} ms after ${step.source}`;
        const { pid: old } = await settled(cluster, `before ${what}`);
        const keeper = cluster.pid;
        cluster.output = '';
        const order = startQuiesce(['reload', '--primary', '--data-dir', cluster.dataDir], { cwd: cluster.folder });
        await cluster.said(step, 90_000);
        await delay(ms);
        const next = await until('there is a new one', () => primariesOf(cluster).find((pid) => pid !== old), {
          within: victim === 'the new primary' ? 20_000 : 1,
          every: 2,
        }).catch(() => undefined);
        const killed = { 'the old primary': old, 'the new primary': next ?? old, 'the keeper': keeper }[victim];
        const before = cluster.output;
        const isThere = isAlive(killed);
        if (isThere) process.kill(killed, 'SIGKILL');
        const since = performance.now();
        // Whatever its outcome is, it has one.
        await until(`the order ends: ${what}`, () => order.child.exitCode !== null || order.child.signalCode !== null, {
          within: longestOrder,
        });
        const now = await settled(cluster, what);
        const took = performance.now() - since;
        expect(
          now.holds.map(({ reason }) => reason),
          what,
        ).to.deep.equal(['kept']);
        expect(await answers(cluster.port), `${what}: a request after that`).to.equal(503);
        const { began, yielded } = owners(victim === 'the keeper' ? before + cluster.output : cluster.output);
        for (const pid of [old, ...began].filter((each) => each !== now.pid))
          expect(isAlive(pid) ? `pid ${pid} is there beside ${now.pid}` : '', what).to.equal('');
        // Nobody began while another one owned the site: it had yielded, or was killed.
        const ended = [old, ...began].slice(0, -1).filter((pid) => !yielded.has(pid) && pid !== killed);
        expect(victim === 'the keeper' ? [] : ended, `${what}: owners that neither yielded nor died`).to.deep.equal([]);
        met.add({ victim, index, step: step.source, killed: isThere, took });
      }
      isOver = true;
      const reports = await Promise.all(loads.map((load) => load.stop()));
      await cluster.stop();
      await loop;
      const failures = reports.map((report) => report.failures);
      console.log(JSON.stringify({ victim, answered: reports.map((each) => each.byStatus), failures }));
      for (const { byStatus, failures: failed } of reports) {
        expect(Object.keys(byStatus), 'the hold was never lost').to.deep.equal(['503']);
        expect(failed).to.not.have.property('unanswered');
        if (victim !== 'the keeper') expect(failed).to.not.have.property('ECONNREFUSED');
      }
    });
});
