/**
 * Sends what is queued, and keeps it in `notify.json` of the data directory until it is delivered, so that a primary that
 * dies takes no notice with it. A receiver may get the same twice.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { shownReceiver, type Receiver } from '../../config/receivers.ts';
import { writeDurably } from '../data-dir/durable.ts';
import type { Notice } from './notice.ts';
import { post, type Answer } from './post.ts';
import { emptyQueue, entry, nextFor, prune, put, settle, type Entry, type Queue } from './queue.ts';

const stored = z.object({ entries: z.array(entry), marks: z.record(z.string(), z.string()) });

type Log = Pick<Logger, 'info' | 'warn' | 'error'>;

export interface OutboxDeps {
  readonly file: string;
  readonly receivers: () => readonly Receiver[];
  readonly log: Log;
}

export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #closing = new AbortController();
  readonly #sending = new Map<string, Promise<void>>();
  #queue: Queue = emptyQueue;
  /** What has been told, so that a restart does not tell it again. */
  #marks: Record<string, string> = {};
  #writing: Promise<void> = Promise.resolve();
  #wanted = false;
  #unwritten: Error | null = null;

  private constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** A file that cannot be read is named in the log, and what was in it is not told: no reason to keep a site down. */
  static async open(deps: OutboxDeps): Promise<Outbox> {
    const outbox = new Outbox(deps);
    try {
      const { entries, marks } = stored.parse(JSON.parse(await readFile(deps.file, 'utf8')));
      outbox.#queue = { ...emptyQueue, entries };
      outbox.#marks = marks;
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'ENOENT')
        deps.log.warn({ err, file: deps.file }, 'the notices that were still to be sent cannot be read and are lost');
    }
    return outbox;
  }

  get waiting(): number {
    return this.#queue.entries.length;
  }

  mark(name: string): string | null {
    return this.#marks[name] ?? null;
  }

  setMark(name: string, value: string | null): void {
    const { [name]: before, ...others } = this.#marks;
    if ((before ?? null) === value) return;
    this.#marks = value === null ? others : { ...others, [name]: value };
    this.#save();
  }

  add(told: Notice, to: readonly Receiver[]): void {
    for (const receiver of to) {
      const { queue, pushedOut } = put(this.#queue, keyOf(receiver), told);
      this.#queue = queue;
      if (pushedOut !== null) this.#tellLost(pushedOut, 'too many wait for its receiver');
    }
    if (to.length === 0) return;
    this.#save();
    this.pump(Date.now());
  }

  /** Sends what is due. Called every second, and when there is something new. */
  pump(now: number): void {
    if (this.#closing.signal.aborted) return;
    if (this.#unwritten !== null) this.#save();
    if (this.#queue.entries.length === 0) return;
    const receivers = new Map(this.#deps.receivers().map((each) => [keyOf(each), each]));
    const { queue, dropped } = prune(this.#queue, new Set(receivers.keys()), now);
    this.#queue = queue;
    for (const each of dropped) this.#tellLost(each, 'it is a day old, or its receiver is not configured any more');
    if (dropped.length > 0) this.#save();
    for (const [key, receiver] of receivers) {
      const next = this.#sending.has(key) ? null : nextFor(this.#queue, key, now);
      if (next !== null) this.#sending.set(key, this.#send(receiver, next));
    }
  }

  /** Outside the queue, once to each. */
  test(told: Notice): Promise<{ receiver: Receiver; answer: Answer }[]> {
    return Promise.all(
      this.#deps.receivers().map(async (receiver) => ({
        receiver,
        answer: await post(receiver, told, this.#closing.signal),
      })),
    );
  }

  /** For a file that somebody has removed. */
  restore(): Promise<void> {
    if (this.#queue.entries.length > 0 || Object.keys(this.#marks).length > 0) this.#save();
    return this.#writing;
  }

  /** What was not delivered is left to the next primary. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#sending.values());
    await this.#writing;
  }

  async #send(receiver: Receiver, sent: Entry): Promise<void> {
    const { log } = this.#deps;
    const key = keyOf(receiver);
    const { outcome, text } = await post(receiver, sent.notice, this.#closing.signal);
    this.#sending.delete(key);
    if (this.#closing.signal.aborted && outcome === 'failed') return;
    const about = { receiver: shownReceiver(receiver), event: sent.notice.event, answer: text };
    const failed = this.#queue.waits[key] !== undefined;
    this.#queue = settle(this.#queue, sent, outcome, Date.now(), Math.random());
    if (outcome === 'refused') log.error(about, `a notice is lost: its receiver refuses it (${text})`);
    else if (outcome === 'failed' && !failed)
      log.warn(about, `a notice cannot be delivered and is tried again: ${text}`);
    else if (outcome === 'delivered' && failed) log.info(about, 'notices are delivered again');
    if (outcome === 'failed') return;
    this.#save();
    this.pump(Date.now());
  }

  #tellLost({ notice }: Entry, why: string): void {
    this.#deps.log.error({ event: notice.event, notice: notice.id }, `a notice is lost: ${why}`);
  }

  /** One write at a time, of what is there when it begins. */
  #save(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#writing = this.#writing.then(async () => {
      this.#wanted = false;
      const { file, log } = this.#deps;
      try {
        await writeDurably(file, `${JSON.stringify({ entries: this.#queue.entries, marks: this.#marks })}\n`);
        this.#unwritten = null;
      } catch (err) {
        if (this.#unwritten === null) log.warn({ err, file }, 'what is still to be sent cannot be written');
        this.#unwritten = err as Error;
      }
    });
  }
}

/** Which receiver a notice waits for. The address, which may be a secret, is not written down. */
export function keyOf({ url, format }: Pick<Receiver, 'url' | 'format'>): string {
  return createHash('sha256').update(`${format} ${url}`).digest('hex').slice(0, 32);
}
