/**
 * Feeds that were made to hurt. `QUIESCE_HOSTILE=1` sends each at its full size, of up to a gigabyte, and tells what the
 * primary took; otherwise it is a tenth or less.
 */
import { expect } from 'chai';
import { readFile, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { json, send, type Message, type Reply } from '../harness/clients/lines.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';
import { SyncClient } from '../harness/clients/sync-client.ts';

const isFull = process.env['QUIESCE_HOSTILE'] !== undefined;
const MB = 1024 * 1024;
const maxBytes = isFull ? 1200 * MB : 80 * MB;
const sized = (full: number, small: number): number => (isFull ? full : small) * MB;

/** What the primary may take at most, whatever the feed: it idles at about 100 MB, and an item's text may have 64 MB. */
const mostMemory = 420 * MB;
/** Processor time of the primary's main thread, ms: what it does is the same however busy the machine is. */
const longestStall = 100;

interface Hostile {
  readonly body: () => Message['body'];
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly code: string;
}

const ndjson = { 'Content-Type': 'application/x-ndjson' };
const refusedItem = { status: 422, code: 'invalid-feed' };
const malformed = { status: 400, code: 'malformed-json' };
const tooLarge = { status: 413, code: 'payload-too-large' };

/** `unit` again and again, in chunks, up to so many bytes. */
function stream(head: string, unit: string | ((i: number) => string), bytes: number, tail: string): Readable {
  return Readable.from(
    (function* () {
      yield Buffer.from(head);
      const same = typeof unit === 'string' ? Buffer.from(unit.repeat(Math.ceil(MB / unit.length))) : null;
      for (let sent = 0, i = 0; sent < bytes;) {
        let chunk = same;
        if (chunk === null) {
          let text = '';
          while (text.length < MB && sent + text.length < bytes) text += (unit as (i: number) => string)(i++);
          chunk = Buffer.from(text);
        }
        sent += chunk.length;
        yield chunk;
      }
      yield Buffer.from(tail);
    })(),
    { objectMode: false },
  );
}

const spaces = (): Buffer => Buffer.alloc(sized(1500, 100), ' ');
const quick = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

const feeds: Record<string, Hostile> = {
  'one line without an end': { body: () => stream('', 'x', sized(1000, 70), ''), headers: ndjson, ...refusedItem },
  'one string without an end': { body: () => stream('[{"id":1,"s":"', 'x', sized(1000, 20), '"}]'), ...refusedItem },
  'a depth of 100,000': {
    body: () => `[{"id":1,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}]`,
    ...refusedItem,
  },
  'brackets that only open': { body: () => stream('[', '[', sized(1000, 10), ''), ...malformed },
  'a gzip bomb': {
    body: () => gzipSync(spaces(), { level: 1 }),
    headers: { 'Content-Encoding': 'gzip' },
    ...tooLarge,
  },
  'a brotli bomb': {
    body: () => brotliCompressSync(spaces(), quick),
    headers: { 'Content-Encoding': 'br' },
    ...tooLarge,
  },
  'one name again and again': { body: () => stream('[{"id":1', ',"a":1', sized(1000, 10), '}]'), ...refusedItem },
  'one name again and again, in an item that is not too long to be read': {
    body: () => stream('[{"id":1', ',"a":1', sized(60, 5), '}]'),
    ...refusedItem,
  },
  'as many names as a document can hold': {
    body: () => stream('[{"id":1', (i) => `,"${i.toString(36)}":1`, 12 * MB, ',"0":1}]'),
    ...refusedItem,
  },
  'a gzip stream that is cut off': {
    body: () => gzipSync(JSON.stringify(Array.from({ length: 100_000 }, (_, id) => ({ id })))).subarray(0, -100),
    headers: { 'Content-Encoding': 'gzip' },
    ...malformed,
  },
  'an array that is cut off': { body: () => stream('[{"id":1,"s":"', 'x', 5 * MB, ''), ...malformed },
  'bytes that are no UTF-8': { body: () => Buffer.from('5b7b226964223a22ff227d5d', 'hex'), ...malformed },
  'a number of millions of digits': { body: () => stream('[{"id":1,"n":', '9', sized(60, 5), '}]'), ...refusedItem },
  'a million items with one key': {
    body: () => stream('[{"id":1}', ',{"id":1}', 9 * 1_000_000, ']'),
    ...refusedItem,
  },
  'millions of items that are none': {
    body: () => stream('[1', ',1', sized(1000, 2), ']'),
    ...refusedItem,
  },
};

describe('a feed that was made to hurt is refused, with nothing paused and the primary as lively as ever:', function () {
  this.timeout(isFull ? 300_000 : 30_000);
  const shared = useSharedCluster({ instances: 1, quiesce: { sync: { max_bytes: maxBytes } } });
  const client = new SyncClient(shared);

  for (const [what, { body, headers = {}, status, code }] of Object.entries(feeds)) {
    it(what, async () => {
      const message = { method: 'PUT', headers: { ...json, ...headers }, body: body() };
      await forgetPeak();
      const started = performance.now();
      const { result, stall } = await watched(() =>
        client.refused({ status, code }, () => send(`${shared.cluster.url}/api/sync`, message as Message)),
      );
      const { reply } = result;
      const peak = await peakMemory();
      const took = performance.now() - started;
      if (isFull) {
        console.log(`        ${took.toFixed(0)} ms, peak ${(peak / MB).toFixed(0)} MB, longest stall ${stall} ms`);
      }
      expectShort(reply);
      if (process.platform !== 'linux') return;
      expect(peak, 'peak memory of the primary').to.be.below(mostMemory);
      expect(stall, 'longest that the primary let anybody wait, ms').to.be.below(longestStall);
    });
  }

  /** What a feed holds does not come back in the answer. */
  function expectShort({ text }: Reply): void {
    expect(text.length).to.be.below(10_000);
  }

  async function forgetPeak(): Promise<void> {
    if (process.platform === 'linux') await writeFile(`/proc/${shared.cluster.pid}/clear_refs`, '5');
  }

  async function peakMemory(): Promise<number> {
    if (process.platform !== 'linux') return 0;
    const status = await readFile(`/proc/${shared.cluster.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+) kB/.exec(status)![1]) * 1024;
  }

  /** What the main thread of the primary has worked so far, ms. */
  async function worked(): Promise<number> {
    const { pid } = shared.cluster;
    if (process.platform !== 'linux') return 0;
    const stat = await readFile(`/proc/${pid}/task/${pid}/stat`, 'utf8');
    const [utime, stime] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13);
    return (Number(utime) + Number(stime)) * 10;
  }

  /** How long the primary let anybody wait meanwhile, in what it did until it answered. */
  async function watched<T>(work: () => Promise<T>): Promise<{ result: T; stall: number }> {
    let stall = 0;
    let isOver = false;
    const watch = (async () => {
      while (!isOver) {
        const before = await worked();
        await shared.cluster.status();
        stall = Math.max(stall, (await worked()) - before);
        await delay(20);
      }
    })();
    try {
      const result = await work();
      return { result, stall };
    } finally {
      isOver = true;
      await watch;
    }
  }
});
