/**
 * Who asked for what, and when: one line of JSON for each order in `orders.jsonl` of the data directory. Unlike the log,
 * which an app that writes much fills within a day, it holds nothing else, so it reaches back for thousands of orders.
 */
import { constants } from 'node:fs';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { mustHold } from '../data-dir/durable.ts';
import type { Order } from '../ports.ts';

/** What belongs to an order, such as `reason` or `instances`, stands beside these. */
export interface OrderRecord {
  /** When it was given. */
  readonly time: string;
  /** Such as `maintenance on`, `reload`, `scale`. */
  readonly order: string;
  /** A name, a signal, or `cron_restart`; missing where nobody said. */
  readonly by?: string;
  readonly [detail: string]: unknown;
}

const fileName = 'orders.jsonl';
/** What is older than the last file that was filled is forgotten. */
const names = [`${fileName}.1`, fileName];
/** A file is filled at this size, bytes. */
const defaultLimit = 512 * 1024;

export class OrderHistory {
  /** Called before each order; throws if none is taken now. */
  before: () => void = () => {};
  readonly #dataDir: string;
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  readonly #limit: number;
  /** The last line may have been cut off: by a crash, or because the disk is full. */
  #cut = true;
  #written: Promise<void> = Promise.resolve();

  constructor(dataDir: string, log: Pick<Logger, 'info' | 'warn'>, limit = defaultLimit) {
    this.#dataDir = dataDir;
    this.#log = log;
    this.#limit = limit;
  }

  /** Writes the order to the log and to the history. Nobody waits for the disk: an order is carried out without room, too. */
  given(order: string, { by, ...details }: Order & Readonly<Record<string, unknown>>): void {
    this.before();
    const known = { order, ...(by === undefined ? {} : { by }), ...details };
    this.#log.info(known, `${order}, requested by ${by ?? 'an unnamed caller'}`);
    const line = `${JSON.stringify({ time: new Date().toISOString(), ...known } satisfies OrderRecord)}\n`;
    this.#written = this.#written.then(() => this.#append(line));
  }

  async flush(): Promise<void> {
    await this.#written;
  }

  async #append(line: string): Promise<void> {
    const path = join(this.#dataDir, fileName);
    try {
      mustHold(path);
      const size = (await stat(path).catch(() => null))?.size ?? 0;
      if (size > 0 && size + Buffer.byteLength(line) > this.#limit) await rename(path, `${path}.1`);
      const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW } = constants;
      // eslint-disable-next-line no-bitwise
      const file = await open(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600);
      try {
        await file.writeFile(this.#cut ? `\n${line}` : line);
        this.#cut = false;
        await file.datasync();
      } finally {
        await file.close();
      }
    } catch (error) {
      this.#cut = true;
      this.#log.warn({ err: error, order: line.trimEnd() }, 'an order cannot be written to the history of orders');
    }
  }
}

/** Returns the orders, the oldest first. A line that a full disk or a crash cut off is left out. */
export async function storedOrders(dataDir: string): Promise<OrderRecord[]> {
  const texts = await Promise.all(names.map((name) => textOf(join(dataDir, name))));
  return texts.flatMap((text) => text.split('\n')).flatMap(orderIn);
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function orderIn(line: string): OrderRecord[] {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return [];
  }
  return isOrder(value) ? [value] : [];
}

function isOrder(value: unknown): value is OrderRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { time, order, by } = value as Partial<OrderRecord>;
  return typeof time === 'string' && typeof order === 'string' && (by === undefined || typeof by === 'string');
}
