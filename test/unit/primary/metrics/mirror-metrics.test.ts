import { expect } from 'chai';
import express from 'express';
import request from 'supertest';
import { metrics } from '#quiesce/primary/metrics/metrics.js';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { endedRun } from '../../dashboard/a-day.js';
import { aStatus } from '../admin/fake-operations.js';
import { parseMetrics, type Family } from './prometheus-text.js';

const iso = (ms: number): string => new Date(ms).toISOString();
const plan = { at: Date.parse('2026-11-22T03:00:00Z'), items: 1_000, inserted: 5, updated: 6, deleted: 7, paused: 800 };

describe('the metrics of mirrors and their sources', () => {
  let status: ClusterStatus = aStatus;
  const scrape = async (runs = [endedRun(plan, 1)], more = runs.slice(1)): Promise<Map<string, Family>> => {
    const { route, observer } = metrics({
      operations: { status: () => status, runs: () => runs.filter((run) => !more.includes(run)) },
      phaseSince: () => 0,
    });
    for (const run of more) observer.run?.(run);
    return parseMetrics((await request(express().use(route)).get('/metrics').expect(200)).text);
  };

  it('tell what became of each source of feeds', async () => {
    const last = { at: iso(7_000), code: 'fetch-failed', reason: 'it was slow' };
    const source = 'https://feeds.example/a';
    const next = iso(9_000);
    status = {
      ...aStatus,
      sources: [
        { source, collection: 'stock', state: 'retrying', next, last: { ...last, outcome: 'failed' } },
        { source: `${source}b`, state: 'waiting', next },
      ],
    };
    const all = await scrape();
    const of = (name: string): [string, number][] => [...all.get(name)!.samples];
    expect(of('quiesce_source_last_end_timestamp_seconds')).to.deep.equal([
      [`{source="${source}",collection="stock",scope="",outcome="failed"}`, 7],
    ]);
    expect(of('quiesce_source_failing').map(([, value]) => value)).to.deep.equal([1, 0]);
  });

  it('tell the sources of one collection apart by their scopes, and never show the better of two that look the same', async () => {
    const source = 'https://feeds.example/a?…';
    const one = (scope: object, outcome: 'failed' | 'mirrored', at: number): object => {
      return { source, collection: 'stock', scope, state: 'waiting', last: { outcome, at: iso(at) } };
    };
    const sources = [
      one({ tenant: 'north' }, 'failed', 5_000),
      one({ tenant: 'south' }, 'mirrored', 6_000),
      one({ tenant: { $oid: 'c' } }, 'mirrored', 7_000),
      one({ tenant: { $oid: 'd' } }, 'mirrored', 9_000),
      one({ tenant: { $oid: 'd' } }, 'mirrored', 8_000), // with another query
      one({ tenant: 'north' }, 'mirrored', 8_000),
    ];
    status = { ...aStatus, sources: sources as ClusterStatus['sources'] };
    const all = await scrape();
    const of = (name: string): [string, number][] =>
      [...all.get(name)!.samples].map(([labels, value]) => [/scope="((?:\\.|[^"\\])*)"/.exec(labels)![1]!, value]);
    const c = String.raw`tenant={\"$oid\":\"c\"}`;
    const d = String.raw`tenant={\"$oid\":\"d\"}`;
    expect(of('quiesce_source_failing')).to.deep.equal([
      ['tenant=north', 1],
      ['tenant=south', 0],
      [c, 0],
      [d, 0],
    ]);
    expect(of('quiesce_source_last_end_timestamp_seconds')).to.deep.equal([
      ['tenant=north', 5],
      ['tenant=south', 6],
      [c, 7],
      [d, 8],
      ['tenant=north', 8],
    ]);
  });

  it('tell the last run of each mirror, by its collection and scope', async () => {
    const run = { ...endedRun(plan, 1), collection: 'stock' };
    const earlier = ['north', 'south'].map((tenant) => ({ ...run, id: tenant, scope: { tenant } }));
    const ended = Date.parse(run.endedAt!);
    const later = { ...run, id: 'new', endedAt: iso(ended + 9_000), scope: { tenant: 'north' } };
    const all = await scrape([later, ...earlier], []);
    expect([...all.get('quiesce_mirror_last_end_timestamp_seconds')!.samples]).to.have.deep.members([
      ['{collection="stock",scope="tenant=north",outcome="succeeded"}', ended / 1_000 + 9],
      ['{collection="stock",scope="tenant=south",outcome="succeeded"}', ended / 1_000],
    ]);
  });

  it('count the confirmation of a feed as its mirror, and whichever is later of two runs', async () => {
    const run = { ...endedRun(plan, 1), collection: 'stock' };
    const ended = Date.parse(run.endedAt!);
    const confirmed = { ...run, id: 'old', confirmedAt: iso(ended + 60_000) };
    const all = await scrape([run, confirmed], []);
    expect([...all.get('quiesce_mirror_last_end_timestamp_seconds')!.samples]).to.deep.equal([
      ['{collection="stock",scope="",outcome="succeeded"}', ended / 1_000 + 60],
    ]);
  });
});
