/**
 * Sends the queued notices, and keeps them in `notify.json` of the data directory until they are delivered, so that
 * none is lost when the primary dies. A receiver may get a notice twice.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import * as z from '../../vendor/zod.ts';
import { shownReceiver, type Receiver } from '../../config/values/receivers.ts';
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
  #closing = new AbortController();
  readonly #sending = new Map<string, Promise<void>>();
  #queue: Queue = emptyQueue;
  /** What has been sent already, so that a restart does not send it again. */
  #marks: Record<string, string> = {};
  #writing: Promise<void> = Promise.resolve();
  #wanted = false;
  #unwritten: Error | null = null;

  private constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  /** If the file cannot be read, a warning is logged and its notices are lost: no reason to keep a site down. */
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

  /** Sends `told` once to each receiver, outside the queue. */
  test(told: Notice): Promise<{ receiver: Receiver; answer: Answer }[]> {
    return Promise.all(
      this.#deps.receivers().map(async (receiver) => ({
        receiver,
        answer: await post(receiver, told, this.#closing.signal),
      })),
    );
  }

  /** Writes the file again after it was removed. */
  restore(): Promise<void> {
    if (this.#queue.entries.length > 0 || Object.keys(this.#marks).length > 0) this.#save();
    return this.#writing;
  }

  /** Notices that are not delivered stay in the file for the next primary. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#sending.values());
    await this.#writing;
  }

  /** After `close`: it sends again. */
  reopen(): void {
    this.#closing = new AbortController();
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

  /** One write at a time. It writes the state at the time when it starts. */
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
        if (this.#unwritten === null) log.warn({ err, file }, 'the queue of notices cannot be written');
        this.#unwritten = err as Error;
      }
    });
  }
}

/** The key of a receiver in the file. The address is not written, since it may be a secret. */
export function keyOf({ url, format }: Pick<Receiver, 'url' | 'format'>): string {
  return createHash('sha256').update(`${format} ${url}`).digest('hex').slice(0, 32);
}
