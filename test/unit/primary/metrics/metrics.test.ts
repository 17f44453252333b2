import { expect } from 'chai';
import express from 'express';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import request from 'supertest';
import { metrics } from '#quiesce/primary/metrics/metrics.js';
import type { Observer } from '#quiesce/primary/live/observers.js';
import { countTime, noRequestTimes } from '#quiesce/protocol/workers/request-times.js';
import type { ClusterStatus, RunRecord } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../../scratch.js';
import { endedRun } from '../../dashboard/a-day.js';
import { aBeat } from '../fleet/a-beat.js';
import { aStatus } from '../admin/fake-operations.js';
import { commandIfThere, run } from './command.js';
import { parseMetrics, type Family } from './prometheus-text.js';

const worker = { slot: 0, incarnation: 1 };
const iso = (ms: number): string => new Date(ms).toISOString();
const plan = { at: Date.parse('2026-11-22T03:00:00Z'), items: 1_000, inserted: 5, updated: 6, deleted: 7, paused: 800 };

describe('the metrics', () => {
  let status: ClusterStatus;
  let observer: Required<Observer>;
  let app: express.Express;
  const start = (runs: RunRecord[] = []): void => {
    const operations = { status: () => status, runs: () => runs };
    const made = metrics({ operations, phaseSince: () => 5_000 });
    observer = made.observer as Required<Observer>;
    app = express().use(made.route);
  };
  const scrape = async (): Promise<Map<string, Family>> => {
    const { text } = await request(app).get('/metrics').expect(200);
    return parseMetrics(text);
  };
  const value = async (name: string, key: string): Promise<number | undefined> =>
    (await scrape()).get(name)?.samples.get(key);

  beforeEach(() => {
    status = aStatus;
    start();
  });

  it('are text that Prometheus reads, with units and names by its conventions', async () => {
    await request(app).get('/metrics').expect('Content-Type', 'text/plain; version=0.0.4; charset=utf-8');
    for (const [name, { type, samples }] of await scrape()) {
      expect(name).to.match(/^(quiesce|process)_[a-z_]+$/);
      if (type === 'counter') expect(name).to.match(/_total$/);
      else expect(name).to.not.match(/_total$/);
      if (type === 'histogram') expect(name).to.match(/_seconds$/);
      expect(name).to.not.match(/_(ms|milliseconds|percent|kb|mb)(_|$)/);
      if (type === 'histogram') checkBuckets(samples);
    }
  });

  it('pass promtool', async function () {
    const promtool = commandIfThere('promtool');
    if (promtool === null) return this.skip(); // Debian: prometheus
    const { text } = await request(app).get('/metrics');
    expect(await run(promtool, ['check', 'metrics'], text)).to.deep.equal({ code: 0, output: '' });
  });

  it('have a phase, holds, and the workers by slot and state', async () => {
    const [first] = aStatus.workers;
    status = {
      ...aStatus,
      phase: 'draining',
      holds: [{ kind: 'operator', reason: 'works', since: iso(0) }],
      workers: [
        { ...first!, cpu: 50, state: 'stopping' },
        { ...first!, incarnation: 2, cpu: 25, eventLoopDelay: 9, uptime: 1_000, state: 'starting' },
        { ...first!, slot: 1, pid: null, state: 'waiting' },
      ],
    };
    const all = await scrape();
    const of = (name: string): [string, number][] => [...all.get(name)!.samples];
    expect(of('quiesce_phase')).to.deep.equal([
      ['{phase="serving"}', 0],
      ['{phase="draining"}', 1],
      ['{phase="quiesced"}', 0],
    ]);
    expect(of('quiesce_phase_start_timestamp_seconds')).to.deep.equal([['{}', 5]]);
    expect(of('quiesce_holds')).to.deep.include(['{kind="operator"}', 1]);
    expect(of('quiesce_workers').filter(([, count]) => count > 0)).to.deep.equal([
      ['{state="starting"}', 1],
      ['{state="stopping"}', 1],
      ['{state="waiting"}', 1],
    ]);
    expect(of('quiesce_worker_cpu_ratio')).to.deep.equal([['{slot="0"}', 0.75]]);
    expect(of('quiesce_worker_event_loop_delay_seconds')).to.deep.equal([['{slot="0"}', 0.009]]);
    expect(of('quiesce_worker_uptime_seconds')).to.deep.equal([['{slot="0"}', 1]]);
  });

  it('add up what workers count, over their deaths, and forget slots that are gone', async () => {
    const times = noRequestTimes();
    countTime(times, 3);
    countTime(times, 60_000);
    const first = aBeat({ served: 10, problems: { paused: 2, 'invalid-feed': 1 }, times });
    observer.beat(worker, first, undefined);
    const later = structuredClone(times);
    countTime(later, 10);
    observer.beat(worker, aBeat({ served: 15, problems: { paused: 5, 'invalid-feed': 1 }, times: later }), first);
    observer.gone(worker, { cause: 'crash', code: 1, signal: null });
    observer.beat({ slot: 0, incarnation: 2 }, aBeat({ served: 1, problems: { paused: 1 } }), undefined);
    expect(await value('quiesce_requests_total', '{slot="0"}')).to.equal(16);
    expect(await value('quiesce_refusals_total', '{code="paused"}')).to.equal(6);
    expect(await value('quiesce_refusals_total', '{code="invalid-feed"}')).to.equal(1);
    expect(await value('quiesce_worker_restarts_total', '{cause="crash"}')).to.equal(1);
    expect(await value('quiesce_request_duration_seconds', '_bucket{le="0.005"}')).to.equal(1);
    expect(await value('quiesce_request_duration_seconds', '_bucket{le="0.01"}')).to.equal(2);
    expect(await value('quiesce_request_duration_seconds', '_bucket{le="+Inf"}')).to.equal(3);
    expect(await value('quiesce_request_duration_seconds', '_sum{}')).to.be.closeTo(60.013, 1e-9);
    expect(await value('quiesce_worker_in_flight_requests', '{slot="0"}')).to.equal(4);
    status = { ...aStatus, workers: [] };
    expect((await scrape()).get('quiesce_worker_in_flight_requests')!.samples.size).to.equal(0);
  });

  it('count the hosts that were evicted, from nothing on, where there are hosts', async () => {
    const evictions = async (): Promise<[string, number][]> => [
      ...(await scrape()).get('quiesce_host_evictions_total')!.samples,
    ];
    expect(await evictions()).to.deep.equal([]);
    status = { ...aStatus, hosts: [] };
    start();
    observer.evicted('other_host');
    expect(await evictions()).to.deep.equal([
      ['{evicted="this_host"}', 0],
      ['{evicted="other_host"}', 1],
    ]);
  });

  it('do not count an end that was asked for as a restart', async () => {
    observer.gone(worker, { cause: 'planned', code: 0, signal: null });
    const restarts = (await scrape()).get('quiesce_worker_restarts_total')!.samples;
    expect([...restarts.values()].every((count) => count === 0)).to.equal(true);
    expect(restarts.size).to.equal(5);
  });

  it('time drains, those that were given up apart', async () => {
    const move = { epoch: 3, at: 10_000 } as const;
    observer.moved({ ...move, from: 'serving', to: 'draining' });
    observer.moved({ ...move, from: 'draining', to: 'quiesced', at: 10_400 });
    observer.moved({ ...move, from: 'quiesced', to: 'draining', at: 11_000 });
    observer.moved({ ...move, from: 'draining', to: 'serving', at: 41_000 });
    expect(await value('quiesce_drain_duration_seconds', '_sum{outcome="drained"}')).to.equal(0.4);
    expect(await value('quiesce_drain_duration_seconds', '_sum{outcome="given_up"}')).to.equal(30);
    expect(await value('quiesce_drain_duration_seconds', '_count{outcome="given_up"}')).to.equal(1);
  });

  it('time a pause once, when it is over', async () => {
    const pause = {
      epoch: 4,
      from: iso(1_000),
      holds: [{ kind: 'sync', reason: 'run a', since: iso(1_000) }],
      refused: 0,
    } as const;
    const count = (): Promise<number | undefined> => value('quiesce_pause_duration_seconds', '_count{kind="sync"}');
    observer.paused({ ...pause, holds: [...pause.holds] });
    expect(await count()).to.equal(0);
    observer.paused({ ...pause, holds: [...pause.holds], to: iso(3_500) });
    observer.paused({ ...pause, holds: [...pause.holds], to: iso(3_500), refused: 9 });
    expect(await count()).to.equal(1);
    expect(await value('quiesce_pause_duration_seconds', '_sum{kind="sync"}')).to.equal(2.5);
  });

  it('count a run once, by its outcome, with its steps and documents where it succeeded', async () => {
    const run = endedRun(plan, 1);
    observer.run({ ...run, state: 'running' });
    observer.run(run);
    observer.run(run);
    observer.run({ ...endedRun({ ...plan, fails: true }, 2), id: 'b' });
    const all = await scrape();
    const runs = [...all.get('quiesce_runs_total')!.samples].filter(([, count]) => count > 0);
    expect(runs).to.deep.equal([
      ['{kind="sync",outcome="succeeded",code=""}', 1],
      ['{kind="sync",outcome="failed",code="drain-timeout"}', 1],
    ]);
    expect(all.get('quiesce_run_step_duration_seconds')!.samples.get('_sum{step="upload"}')).to.equal(0.42);
    expect(Object.fromEntries(all.get('quiesce_run_documents_total')!.samples)).to.include({
      '{change="inserted"}': 5,
      '{change="deleted"}': 7,
    });
  });

  it('know when the last run of an earlier primary ended', async () => {
    const runs = [endedRun({ ...plan, at: plan.at + 60_000 }, 2), endedRun(plan, 1)];
    start(runs);
    const key = '{kind="sync",outcome="succeeded"}';
    expect(await value('quiesce_run_last_end_timestamp_seconds', key)).to.equal(Date.parse(runs[0]!.endedAt!) / 1_000);
    expect(await value('quiesce_runs_total', '{kind="sync",outcome="succeeded",code=""}')).to.equal(0);
  });

  it('escape what comes from outside', async () => {
    status = { ...aStatus, name: 'a"b\\c\nd' };
    start();
    const [key] = [...(await scrape()).get('quiesce_info')!.samples.keys()];
    expect(key).to.include(String.raw`name="a\"b\\c\nd"`);
  });
});

describe('what is made for Prometheus and Grafana', () => {
  const scratch = scratchFolders();
  const doc = (name: string): URL => new URL(`../../../../../docs/${name}`, import.meta.url);
  const known = async (): Promise<Set<string>> => {
    const { route } = metrics({ operations: { status: () => aStatus, runs: () => [] }, phaseSince: () => 0 });
    return new Set(parseMetrics((await request(express().use(route)).get('/metrics')).text).keys());
  };
  const named = (text: string): string[] =>
    [...text.matchAll(/\b(?:quiesce|process)_[a-z_]+\b/g)].map(([name]) => name.replace(/_(bucket|sum|count)$/, ''));

  for (const file of ['alerts.yml', 'grafana.json']) {
    it(`docs/${file} asks for metrics that there are`, async () => {
      const names = named(readFileSync(doc(file), 'utf8'));
      expect(names).to.not.be.empty;
      const metricNames = await known();
      expect(names.filter((name) => !metricNames.has(name))).to.deep.equal([]);
    });
  }

  it('docs/alerts.yml passes promtool, and its own tests', async function () {
    this.timeout(20_000);
    const promtool = commandIfThere('promtool');
    if (promtool === null) return this.skip(); // Debian: prometheus
    expect(await run(promtool, ['check', 'rules', doc('alerts.yml').pathname])).to.include({ code: 0 });
    const tests = new URL('../../../../../test/unit/primary/metrics/alerts.test.yml', import.meta.url);
    const { code, output } = await run(promtool, ['test', 'rules', tests.pathname]);
    expect(code, output).to.equal(0);
  });

  it('docs/grafana.json holds expressions that promtool can read', async function () {
    const promtool = commandIfThere('promtool');
    if (promtool === null) return this.skip(); // Debian: prometheus
    const text = readFileSync(doc('grafana.json'), 'utf8');
    const expressions = [...text.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(([, json]) =>
      (JSON.parse(json!) as string).replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, '.*'),
    );
    const rules = expressions.map((expr, index) => ({ record: `panel_${index}`, expr }));
    const file = path.join(scratch(), 'rules.json');
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    expect(await run(promtool, ['check', 'rules', file])).to.include({ code: 0 });
  });

  it('docs/grafana.json has every expression in a panel that names its unit and its source', () => {
    interface Panel {
      type: string;
      title: string;
      gridPos: { x: number; y: number; w: number; h: number };
      targets?: { expr: string }[];
      fieldConfig?: { defaults: { unit?: string } };
      datasource?: { uid: string };
    }
    const dashboard = JSON.parse(readFileSync(doc('grafana.json'), 'utf8')) as { uid: string; panels: Panel[] };
    const panels = dashboard.panels.filter(({ type }) => type !== 'row');
    expect(panels.length).to.be.above(8);
    for (const { title, targets, fieldConfig, datasource } of panels) {
      expect(targets, title).to.be.an('array').that.is.not.empty;
      expect(fieldConfig?.defaults.unit, title).to.be.a('string');
      expect(datasource?.uid, title).to.equal('${datasource}');
    }
    for (const [index, { gridPos: a, title }] of panels.entries()) {
      expect(a.x + a.w, title).to.be.at.most(24);
      for (const { gridPos: b } of panels.slice(index + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart, title).to.equal(true);
      }
    }
  });
});

/** Each bucket holds the ones before it, and the last all. */
function checkBuckets(samples: Map<string, number>): void {
  const last = new Map<string, number>();
  for (const [key, count] of samples) {
    const [, labels] = /^_bucket\{le="[^"]+",?(.*)\}$/.exec(key) ?? [];
    if (labels === undefined) continue;
    expect(count, key).to.be.at.least(last.get(labels) ?? 0);
    last.set(labels, count);
  }
  for (const [labels, count] of last) expect(samples.get(`_count{${labels}}`), labels).to.equal(count);
}
