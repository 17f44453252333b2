import { expect } from 'chai';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { FeedHeaders } from '#quiesce/worker/feed/headers.js';
import { spool } from '#quiesce/worker/feed/upload.js';
import { scratchFolders } from '../../scratch.ts';

const headers: FeedHeaders = {
  format: 'json',
  coding: 'identity',
  sha256: null,
  prefer: { respondAsync: false, representation: null },
};

describe('the upload of a feed', () => {
  const scratch = scratchFolders();
  const limits = { maxBytes: 1e9, timeout: 30_000 };
  const chunk = 64 * 1024;

  it('keeps no chunk that is in the file, however long the feed is', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    collect();
    const before = process.memoryUsage().arrayBuffers;
    let sent = 0;
    let kept = 0;
    const body = new Readable({
      highWaterMark: chunk,
      read() {
        if (++sent % 200 === 0) {
          collect();
          kept = Math.max(kept, process.memoryUsage().arrayBuffers - before);
        }
        this.push(sent > 1200 ? null : Buffer.allocUnsafeSlow(chunk));
      },
    });
    const feed = await spool(body as IncomingMessage, join(scratch(), 'feed'), headers, limits);
    expect(feed.bytes).to.equal(1200 * chunk);
    expect(kept).to.be.below(600 * chunk);
  }).timeout(20_000);

  it('gives up when the time is over, between two chunks as well as while it waits for one', async () => {
    const body = new Readable({ read() {} });
    body.push('[');
    const failed = spool(body as IncomingMessage, join(scratch(), 'feed'), headers, { ...limits, timeout: 30 }).then(
      () => expect.fail('it did not give up'),
      (error: unknown) => error,
    );
    expect(await Promise.race([failed, delay(5_000, 'nothing')])).to.include({ code: 'upload-timeout' });
  });

  it('gives up on a client that trickles, and not on one that sends enough', async () => {
    const trickling = (bytes: number): Promise<unknown> => {
      const body = new Readable({ read() {} });
      let sent = 0;
      const timer = setInterval(() => body.push(++sent > 30 ? null : Buffer.alloc(bytes)), 10);
      const rate = { bytes: 100, within: 200 };
      return spool(body as IncomingMessage, join(scratch(), 'feed'), headers, { ...limits, rate })
        .catch((error: unknown) => error)
        .finally(() => clearInterval(timer));
    };
    const [slow, quick] = await Promise.all([trickling(1), trickling(1000)]);
    expect(slow).to.include({ code: 'upload-timeout' });
    expect(quick).to.include({ bytes: 30_000 });
  });
});
