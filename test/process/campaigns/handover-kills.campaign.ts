/**
 * `npm run campaign:handover`: SIGKILL to the old primary, the new one, or the keeper, at QUIESCE_CAMPAIGN moments of a
 * handover each, under an operator's hold and under load. The keeper is started again by a loop, as by a service manager.
 *
 * A moment is a line of the log and a time after it, so that the short steps of a handover are met as often as the long ones.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { Load } from '../../../dev/load/load.ts';
import type { ClusterStatus } from '#quiesce/protocol/runs.js';
import { usePlainClusters } from '../harness/clusters.ts';
import { isAlive } from '../harness/processes.ts';
import { startQuiesce } from '../harness/running-command.ts';
import { until } from '../harness/until.ts';

const plain = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));
const moments = Number(process.env['QUIESCE_CAMPAIGN'] ?? 50);
const instances = 2;

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
const after = [0, 4, 15, 60, 200];

interface Moment {
  readonly step: RegExp;
  readonly after: number;
}

/** So many, the same steps as often as each other. */
const all: Moment[] = Array.from({ length: moments }, (_, index) => ({
  step: steps[index % steps.length]!,
  after: after[Math.floor(index / steps.length) % after.length]!,
}));

describe('a handover in which somebody is killed', function () {
  this.timeout(moments * 120_000);
  const clusters = usePlainClusters();

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

  for (const victim of ['the old primary', 'the new primary', 'the keeper'] as const)
    it(`ends well: ${victim}, at ${moments} moments`, async () => {
      const cluster = await clusters.start({ script: plain, keeper: true, group: true, instances });
      await cluster.control.maintenance({ on: true, wait: true, reason: 'kept' });
      let isOver = false;
      const loop = (async () => {
        for (;;) {
          await cluster.exited;
          if (isOver) return;
          cluster.launch();
        }
      })();
      const loads = [true, false].map(
        (keepAlive) => new Load({ url: cluster.url, connections: 2, keepAlive, pause: 20, timeout: 60_000 }),
      );
      const met = new Map<string, number>();
      for (const { step, after: ms } of all) {
        const what = `${victim}, ${ms} ms after ${step.source}`;
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
        met.set(step.source, (met.get(step.source) ?? 0) + Number(isThere));
        await order.ended; // whatever its outcome is, it has one
        const now = await settled(cluster, what);
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
      }
      isOver = true;
      const reports = await Promise.all(loads.map((load) => load.stop()));
      await cluster.stop();
      await loop;
      const failures = reports.map((report) => report.failures);
      console.log(
        JSON.stringify({
          victim,
          killed: Object.fromEntries(met),
          answered: reports.map((each) => each.byStatus),
          failures,
        }),
      );
      for (const { byStatus, failures: failed } of reports) {
        expect(Object.keys(byStatus), 'the hold was never lost').to.deep.equal(['503']);
        expect(failed).to.not.have.property('unanswered');
        if (victim !== 'the keeper') expect(failed).to.not.have.property('ECONNREFUSED');
      }
    });
});
