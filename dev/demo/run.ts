/** One feed: sent to one or more workers at the same moment, watched from outside, and told. */
import { isDeepStrictEqual } from 'node:util';
import type { Db, Timestamp } from 'mongodb';
import { report, type Counts, type Report } from '#quiesce/protocol/api/runs.js';
import type { Answer, Connection } from '../cluster/connection.ts';
import { now } from './clock.ts';
import type { Item } from './feed.ts';
import { milliseconds, number, Timeline, type Checks } from './timeline.ts';
import type { Traffic } from './traffic.ts';
import { operationTime, writtenSince } from './witness.ts';

export interface Stage {
  readonly db: Db;
  readonly traffic: Traffic;
  readonly checks: Checks;
}

interface Sent {
  readonly slot: number;
  readonly answer: Answer;
  readonly answeredAt: number;
}

export interface Told {
  readonly report: Report;
  /** MongoDB's time before it began. */
  readonly since: Timestamp | undefined;
}

/** Sends the feed over each of the connections, and prints what came of it. */
export async function sendAndTell(
  stage: Stage,
  connections: readonly Connection[],
  items: readonly Item[],
): Promise<Told> {
  const body = JSON.stringify(items);
  const since = await operationTime(stage.db);
  const timeline = new Timeline();
  const sent = await Promise.all(connections.map((connection) => send(connection, body, timeline)));
  const to = now();

  const winners = sent.filter(({ answer }) => answer.status === 200);
  const [winner] = winners;
  if (winner === undefined || winners.length > 1) {
    const statuses = sent.map(({ answer }) => `${answer.status} ${answer.text.slice(0, 500)}`);
    throw new Error(`one PUT should have run, but ${winners.length} did:\n${statuses.join('\n')}`);
  }
  const told = report.parse(JSON.parse(winner.answer.text));
  for (const each of sent) if (each !== winner) tellRefusal(stage, timeline, each);
  tellRun(timeline, winner, told);
  tellTraffic(stage, timeline, to);
  timeline.print();
  return { report: told, since };
}

async function send(connection: Connection, body: string, timeline: Timeline): Promise<Sent> {
  const { slot } = connection;
  timeline.add(now(), `PUT /api/sync, ${(body.length / 1e6).toFixed(1)} MB, to worker ${slot}`);
  const headers = { 'Content-Type': 'application/json', Prefer: 'return=representation' };
  const answer = await connection.request('/api/sync', { method: 'PUT', headers, body });
  return { slot, answer, answeredAt: now() };
}

function tellRefusal({ checks }: Stage, timeline: Timeline, { slot, answer, answeredAt }: Sent): void {
  const { code } = JSON.parse(answer.text) as { code?: string };
  timeline.add(answeredAt, `worker ${slot} refuses: ${answer.status} ${code}`);
  checks.that(
    answer.status === 409 && code === 'run-in-progress',
    `of two PUTs at the same moment one ran, and the other was refused after ${milliseconds(answeredAt - timeline.began)}`,
    `it got ${answer.status} ${answer.text}`,
  );
}

function tellRun(
  timeline: Timeline,
  { slot, answeredAt }: Sent,
  { timings, counts, startedAt, endedAt, strategy }: Report,
): void {
  const began = Math.max(Date.parse(startedAt), timeline.began);
  // The pause is the end of a run, so its moments count back from there.
  const shut = Date.parse(endedAt) - timings.paused;
  const drained = shut + timings.drain;
  const compared = drained + timings.scan;
  const { prepare, drain, scan, write, paused, upload } = timings;
  timeline.add(began + upload, `uploaded in ${milliseconds(upload)}`);
  timeline.add(shut, `read and checked in ${milliseconds(prepare)}, the cluster serving all the while; gates shut`);
  timeline.add(drained, `drained in ${milliseconds(drain)}: no request is in flight in any worker`);
  timeline.add(compared, `compared with the collection in ${milliseconds(scan)} (${strategy})`);
  timeline.add(compared + write, `written in ${milliseconds(write)}`);
  timeline.add(shut + paused, `gates open, after ${milliseconds(paused)}`);
  timeline.add(answeredAt, `worker ${slot} answers 200: ${countsText(counts)}`);
}

function tellTraffic({ traffic }: Stage, timeline: Timeline, to: number): void {
  const visits = traffic.during(timeline.began, to);
  const count = (outcome: number): number => visits.filter((visit) => visit.outcome === outcome).length;
  timeline.add(to, `visitors meanwhile: ${number(count(200))} served, ${number(count(503))} told to come back`);
}

export function countsText({ inserted, updated, deleted, unchanged }: Counts): string {
  return `${number(inserted)} inserted, ${number(updated)} updated, ${number(deleted)} deleted, ${number(unchanged)} unchanged`;
}

/** The collection, read back item by item. */
export async function equalsFeed(db: Db, items: readonly Item[]): Promise<boolean> {
  const stored = await db.collection<{ _id: string }>('resources').find().sort({ _id: 1 }).toArray();
  const expected = items.map(({ id, ...rest }) => ({ _id: id, ...rest })).toSorted((a, b) => (a._id < b._id ? -1 : 1));
  return isDeepStrictEqual(stored, expected);
}

/** By MongoDB's clock and the handlers' own: none was at work between the first write and the last. */
export async function checkQuiet({ db, traffic, checks }: Stage, { since }: Told, name: string): Promise<void> {
  const written = since && (await writtenSince(db, since, 'resources'));
  if (!written) return;
  const { changes, first, last } = written;
  // MongoDB's clock counts whole milliseconds.
  const overlapping = traffic.visits.filter(
    ({ handler }) => handler && handler.began < last && handler.ended > first + 1,
  );
  checks.that(
    overlapping.length === 0,
    `${name}: no handler was at work in any worker between the first of ${number(changes)} writes and the last`,
    `${overlapping.length} were`,
  );
}
