/**
 * The queue of notices to send, and when to send them. Pure.
 *
 * Each receiver gets its notices in order. queued → delivered, or refused, or too old, or pushed out by newer ones.
 * After a failed attempt the receiver waits, twice as long each time.
 */
import * as z from '../../vendor/zod.ts';
import { notice, type Notice } from './notice.ts';
import { spread } from '../fleet/lifecycle/restart-policy.ts';

export const entry = z.object({ receiver: z.string(), notice });
export type Entry = z.infer<typeof entry>;

interface Wait {
  /** Failed attempts in a row. */
  readonly failures: number;
  /** Epoch ms. */
  readonly until: number;
}

export interface Queue {
  /** The oldest first. */
  readonly entries: readonly Entry[];
  readonly waits: Readonly<Record<string, Wait>>;
}

/** `failed`: another attempt may succeed; `refused`: another attempt would get the same answer. */
export type Outcome = 'delivered' | 'failed' | 'refused';

/** How many notices may wait for one receiver. */
export const most = 100;
/** A notice this old is dropped, ms. */
export const oldest = 24 * 3_600_000;
const firstWait = 1_000;
export const longestWait = 600_000;

export const emptyQueue: Queue = { entries: [], waits: {} };

/** `pushedOut`: the oldest notice of the receiver, if the queue was full. */
export function put(queue: Queue, receiver: string, told: Notice): { queue: Queue; pushedOut: Entry | null } {
  const entries = [...queue.entries, { receiver, notice: told }];
  const own = entries.filter((each) => each.receiver === receiver);
  const pushedOut = own.length > most ? own[0]! : null;
  return { queue: { ...queue, entries: entries.filter((each) => each !== pushedOut) }, pushedOut };
}

/** The notice to send to that receiver now. */
export function nextFor(queue: Queue, receiver: string, now: number): Entry | null {
  if (now < (queue.waits[receiver]?.until ?? 0)) return null;
  return queue.entries.find((each) => each.receiver === receiver) ?? null;
}

/** @param random in [0, 1): spreads the attempts of hosts that lost a receiver at the same time */
export function settle(queue: Queue, sent: Entry, outcome: Outcome, now: number, random: number): Queue {
  const { [sent.receiver]: before, ...others } = queue.waits;
  if (outcome !== 'failed') return { entries: queue.entries.filter((each) => !isSame(each, sent)), waits: others };
  const failures = (before?.failures ?? 0) + 1;
  const wait = Math.min(longestWait, firstWait * 2 ** (failures - 1));
  const until = now + spread(wait, random);
  return { ...queue, waits: { ...others, [sent.receiver]: { failures, until } } };
}

/** Drops the entries that cannot be sent any more: too old, or for a receiver that is no longer configured. */
export function prune(
  queue: Queue,
  receivers: ReadonlySet<string>,
  now: number,
): { queue: Queue; dropped: readonly Entry[] } {
  const isGood = ({ receiver, notice: { at } }: Entry): boolean =>
    receivers.has(receiver) && now - Date.parse(at) < oldest;
  const dropped = queue.entries.filter((each) => !isGood(each));
  return dropped.length === 0
    ? { queue, dropped }
    : { queue: { ...queue, entries: queue.entries.filter(isGood) }, dropped };
}

function isSame(a: Entry, b: Entry): boolean {
  return a.receiver === b.receiver && a.notice.id === b.notice.id;
}
