import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import type { Receiver as Configured } from '#quiesce/config/values/receivers.js';
import type { Notice } from '#quiesce/primary/notify/notice.js';
import { Outbox } from '#quiesce/primary/notify/outbox.js';
import { post, signatureOf } from '#quiesce/primary/notify/post.js';
import { startReceiver, type Receiver } from '../../../process/harness/receiver.ts';
import { until } from '../../../process/harness/until.ts';
import { scratchFolders } from '../../scratch.ts';

const never = new AbortController().signal;
const secret = 'a-secret-of-the-receiver';

function told(id: string): Notice {
  return { id, event: 'run-failed', at: new Date().toISOString(), app: 'a', host: 'h', message: 'm', details: {} };
}

function configured(url: string): Configured {
  return { url, events: ['run-failed'], format: 'json', secret, overdue: null };
}

describe('the outbox of notices', () => {
  const folder = scratchFolders();
  const open: { close(): Promise<void> }[] = [];
  const lines: string[] = [];
  const log = (_about: object, line: string): void => void lines.push(line);
  afterEach(async () => {
    await Promise.all(open.splice(0).map((each) => each.close()));
    lines.length = 0;
  });

  async function receiver(...options: Parameters<typeof startReceiver>): Promise<Receiver> {
    const started = await startReceiver(...options);
    open.push(started);
    return started;
  }

  async function outbox(file: string, ...urls: string[]): Promise<Outbox> {
    const receivers = urls.map(configured);
    const opened = await Outbox.open({
      file,
      receivers: () => receivers,
      log: { info: log, warn: log, error: log } as never,
    });
    open.push(opened);
    return opened;
  }

  it('signs body and time, with a header that names the notice', async () => {
    const { url, received } = await receiver();
    expect(await post(configured(url), told('1'), never)).to.deep.equal({ outcome: 'delivered', text: 'HTTP 204' });
    const { headers, body } = received[0]!;
    const [, at, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['quiesce-signature']))!;
    expect(signature).to.equal(createHmac('sha256', secret).update(`${at}.${body}`).digest('hex'));
    expect(Math.abs(Date.now() / 1_000 - Number(at))).to.be.lessThan(60);
    expect(signatureOf(secret, body, Number(at) + 1)).to.not.contain(signature);
    expect(headers).to.include({ 'quiesce-notice': '1', 'quiesce-event': 'run-failed' });
  });

  it('follows no redirect, reads no endless answer, and tells no address', async () => {
    const target = await receiver();
    const redirecting = await receiver((response) => void response.writeHead(307, { Location: target.url }).end());
    expect(await post(configured(redirecting.url), told('1'), never)).to.deep.equal({
      outcome: 'refused',
      text: 'HTTP 307',
    });
    expect(target.received).to.have.length(0);
    const endless = await receiver((response) => void response.writeHead(200).write('x'));
    expect((await post(configured(endless.url), told('1'), never)).outcome).to.equal('delivered');
    await target.close();
    expect(await post(configured(target.url), told('1'), never)).to.deep.equal({
      outcome: 'failed',
      text: 'ECONNREFUSED',
    });
  });

  it('keeps what is not delivered, and the next primary delivers it, without the address on the disk', async () => {
    const file = path.join(folder(), 'notify.json');
    const down = await receiver();
    await down.close();
    const first = await outbox(file, down.url);
    first.add(told('1'), [configured(down.url)]);
    first.setMark('hold', 'then');
    await until('it was tried', () => lines.some((line) => line.includes('tried again: ECONNREFUSED')));
    await first.close();
    const text = readFileSync(file, 'utf8');
    expect(text).to.contain('"id":"1"').and.not.contain(down.url).and.not.contain(secret);

    const up = await receiver(undefined, down.port);
    const second = await outbox(file, down.url);
    expect(second.mark('hold')).to.equal('then');
    second.pump(Date.now());
    await until('it is delivered', () => up.received.length === 1);
    await until('it is forgotten', () => second.waiting === 0);
    await second.restore();
    expect(readFileSync(file, 'utf8')).to.not.contain('"id":"1"');
  });

  it('gives each receiver its notices in order, however slow another is', async () => {
    const stuck = await receiver(() => undefined);
    const quick = await receiver();
    const box = await outbox(path.join(folder(), 'notify.json'), stuck.url, quick.url);
    const all = [configured(stuck.url), configured(quick.url)];
    for (const id of ['1', '2', '3']) box.add(told(id), all);
    await until('the quick one has all', () => quick.notices.length === 3);
    expect(quick.notices.map(({ body }) => (JSON.parse(body) as Notice).id)).to.deep.equal(['1', '2', '3']);
    expect(stuck.received).to.have.length(1);
    await box.close();
    expect(box.waiting).to.equal(3);
    box.pump(Date.now());
    expect(stuck.received, 'while it is closed').to.have.length(1);
    box.reopen();
    box.pump(Date.now());
    await until('it is sent again', () => stuck.received.length === 2);
  });

  it('tries again what a receiver cannot take now, and drops what it refuses', async () => {
    const answers = [503, 204, 404];
    const moody = await receiver((response) => void response.writeHead(answers.shift() ?? 204).end());
    const box = await outbox(path.join(folder(), 'notify.json'), moody.url);
    box.add(told('1'), [configured(moody.url)]);
    await until('it was tried', () => lines.length === 1);
    box.pump(Date.now() + 1_000);
    await until('it is delivered', () => box.waiting === 0);
    box.add(told('2'), [configured(moody.url)]);
    await until('it is dropped', () => box.waiting === 0);
    expect(lines).to.deep.equal([
      'a notice cannot be delivered and is tried again: HTTP 503',
      'notices are delivered again',
      'a notice is lost: its receiver refuses it (HTTP 404)',
    ]);
  });

  it('starts anew where its file cannot be read, and says so', async () => {
    const file = path.join(folder(), 'notify.json');
    writeFileSync(file, '{"entries": [{}]}');
    expect((await outbox(file)).waiting).to.equal(0);
    expect(lines).to.have.length(1);
  });
});
