import { mock } from 'node:test';
import path from 'node:path';
import { expect } from 'chai';
import type { ControlClient } from '#quiesce/cli/control-client.js';
import { tellingOfRun } from '#quiesce/cli/orders/waiting-for-run.js';
import { linesForPeople } from '#quiesce/primary/log/line-for-people.js';
import { useCommands } from './use-commands.js';
import { aRun, aStatus } from '../primary/admin/fake-operations.js';
import { scratchFolders } from '../scratch.js';

/** It begins a control sequence (C1), turns the order of letters, and has a line of its own. */
const evil = 'a\u009b2Jb\u202ec\nd';
const shown = String.raw`a\u009b2Jb\u202ec`;
// eslint-disable-next-line no-control-regex
const hidden = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;

const err = { type: 'Error', message: evil, stack: `Error: ${evil}\n    at x.js:1:1`, [evil]: { [evil]: evil } };
const record = {
  level: 30,
  time: 1_700_000_000_000,
  msg: `said ${evil}`,
  by: evil,
  [evil]: evil,
  holds: [{ reason: evil }],
  request: { method: 'GET', path: evil },
  err,
};

describe('text of others that a command prints', function () {
  this.timeout(60_000);
  const { run, primary, app } = useCommands();
  const scratch = scratchFolders();

  it('has no control characters in the lines of the log for people, wherever in a record it is', () => {
    const line = JSON.stringify(record);
    for (const colorize of [false, true]) {
      const text = linesForPeople({ colorize })(line);
      // eslint-disable-next-line no-control-regex
      const plain = text.replaceAll(/\u001b\[[\d;]*m/g, '');
      expect(plain, 'the colours of quiesce stay').to.have.length.below(colorize ? text.length : Infinity);
      expect(plain).to.not.match(hidden);
      expect(plain).to.include(`"by":"${shown}`).and.include(`"path":"${shown}`).and.include(`"reason":"${shown}`);
      expect(plain, 'the stack')
        .to.include(String.raw`b\u202ec`)
        .and.match(/^ +at x\.js:1:1/m);
    }
    for (const broken of [`{"by":"${evil}`, `\u001b[8m${evil}`])
      expect(linesForPeople({ colorize: true })(broken)).to.not.match(hidden);
  });

  it('has none in `quiesce logs --pretty`, also on a last line that is not complete', async () => {
    const cwd = scratch({ 'data/quiesce.log': `${JSON.stringify(record)}\n{"msg":"half ${evil.replace('\n', '')}` });
    const args = ['logs', '--data-dir', path.join(cwd, 'data')];
    const { code, out } = await run([...args, '--pretty'], { cwd });
    expect(code).to.equal(0);
    expect(out).to.not.match(hidden);
    expect(out).to.include(`"by":"${shown}`).and.include(`{"msg":"half ${shown}`);
    expect((await run(args, { cwd })).out, 'for machines it is as it was').to.include(evil.replace('\n', ''));
  });

  it('has none in the warnings of a primary', async () => {
    const cwd = scratch({ 'data/x': '' });
    const operations = await primary(path.join(cwd, 'data'));
    operations.current = { ...aStatus, warnings: [evil] };
    const { err: told } = await run(['maintenance', 'status', '--data-dir', path.join(cwd, 'data')], { cwd });
    expect(told).to.equal(`warning: ${shown}\\nd\n`);
  });

  it('has none in the report and the notes of a sync, whoever answers', async () => {
    const cwd = scratch({ 'feed.json': '[]' });
    const counts = { inserted: 0, updated: 0, deleted: 0, unchanged: 0 };
    const timings = { upload: 0, prepare: 0, drain: 0, scan: 0, write: 0, paused: 0, total: 0 };
    const feed = { items: 0, bytes: 2, digest: '' };
    const time = '2026-01-01T00:00:00.000Z';
    const more = { epoch: 1, state: 'succeeded', strategy: 'scan', workers: 1, refused: 0, forced: 0 };
    const ended = { id: evil, feed, counts, timings, ...more, startedAt: time, endedAt: time };
    let body: unknown;
    const url = await app((_request, response) => {
      response.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
    });
    for (const [answer, flags] of [
      [{ feed, counts, timings, notes: [evil] }, ['--dry-run']],
      [ended, []],
    ] as const) {
      body = answer;
      const { out, err: told } = await run(['sync', 'feed.json', '--url', url, ...flags], { cwd });
      expect(out, told).to.include(`${shown}\\nd`);
      expect(out + told).to.not.match(hidden);
    }
  });

  it('has none in the name of the request whose run a command waits for', async () => {
    const owner = { slot: 0, incarnation: 1, method: 'POST', path: `/${evil}` };
    const status = { ...aStatus, run: { ...aRun, kind: 'exclusive', state: 'running', owner } };
    const client = { status: () => Promise.resolve(status) } as unknown as ControlClient;
    const told: string[] = [];
    const stderr = mock.method(process.stderr, 'write', (text: string) => told.push(text) > 0);
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      const work = new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)));
      const waiting = tellingOfRun(client, 'reload', work);
      mock.timers.tick(2_000);
      await waiting;
    } finally {
      mock.timers.reset();
      stderr.mock.restore();
    }
    expect(told.join('')).to.include(`POST /${shown}\\nd in slot 0`).and.not.match(hidden);
  });
});
