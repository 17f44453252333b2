import { once } from 'node:events';
import http from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import { acquireLock } from '#quiesce/primary/data-dir/lock.js';
import { main, useCommands } from './use-commands.js';
import { scratchFolders } from '../scratch.js';
import { aStatus } from '../primary/admin/fake-operations.js';

const scratch = scratchFolders();

describe('the quiesce command', function () {
  this.timeout(60_000);
  const { run, primary, app } = useCommands();

  it('has help that fits one screen', async () => {
    const { code, out } = await run(['--help'], { cwd: scratch() });
    expect(code).to.equal(0);
    expect(out.split('\n').length).to.be.lessThan(40);
    expect(out).to.include('Example');
  });

  it('ends with 2 for wrong usage, and says what is wrong without a stack', async () => {
    const cwd = scratch();
    for (const args of [
      [],
      ['sttaus'],
      ['status', '--jsno'],
      ['maintenance'],
      ['maintenance', 'on', '--for', 'ever'],
      ['maintenance', 'on', '--no-wait', '--keep'],
      ['start'],
      ['start', 'nowhere.js'],
      ['validate', 'nowhere.js'],
      ['sync'],
      ['sync', 'absent.json', '--url', 'http://127.0.0.1:1'],
      ['sync', '-', '--url', 'ftp://x'],
      ['status', 'extra'],
    ]) {
      const { code, err, out } = await run(args, { cwd });
      expect([args.join(' '), code, out]).to.deep.equal([args.join(' '), 2, '']);
      expect(err, args.join(' ')).to.not.equal('').and.not.include('    at ');
    }
  });

  it('ends with 5 where no primary runs', async () => {
    const cwd = scratch();
    for (const args of [
      ['status'],
      ['status', '--data-dir', 'nowhere'],
      ['maintenance', 'on'],
      ['stop'],
      ['reload', '--data-dir', 'nowhere'],
      ['reload', '--dry-run', '--data-dir', 'nowhere'],
      ['scale', '2', '--data-dir', 'nowhere'],
      ['sync', main],
    ]) {
      const { code, err } = await run(args, { cwd });
      expect(code, args.join(' ')).to.equal(5);
      expect(err).to.include('No primary is running');
    }
  });

  it('finds the one app that runs here, and asks which where there are several', async () => {
    const cwd = scratch({ '.quiesce/web/x': '', '.quiesce/api/x': '' });
    const web = path.join(cwd, '.quiesce/web');
    await primary(web);
    expect(JSON.parse((await run(['status', '--json'], { cwd })).out)).to.deep.equal(aStatus);
    await primary(path.join(cwd, '.quiesce/api'));
    const both = await run(['status'], { cwd });
    expect(both.out.match(/^web {2}serving/gm)).to.have.length(2);
    const several = await run(['maintenance', 'status'], { cwd });
    expect(several.code).to.equal(2);
    expect(several.err).to.include('--only');
    expect((await run(['status', '--only', 'web'], { cwd })).code).to.equal(0);
    expect((await run(['status', '--data-dir', web], { cwd })).code).to.equal(0);
    expect(
      (await run(['status', '--only', 'api'], { cwd, env: { QUIESCE_DATA_DIR: path.join(cwd, '.quiesce') } })).code,
    ).to.equal(0);
  });

  it('shows the cluster as a table', async () => {
    const cwd = scratch({ '.quiesce/web/x': '' });
    const operations = await primary(path.join(cwd, '.quiesce/web'));
    operations.current = {
      ...aStatus,
      phase: 'draining',
      holds: [{ kind: 'operator', reason: 'works\u001b[2J\nhold: none', since: '2026-01-01T00:00:00.000Z' }],
      waitingFor: [{ slot: 0, method: 'GET', path: '/slow', age: 1234, clientGone: true }],
    };
    const { out } = await run(['status'], { cwd });
    expect(out).to.match(/^web {2}draining {2}epoch 3/);
    expect(out).to.include(String.raw`hold: operator since 2026-01-01T00:00:00.000Z: works\u001b[2J\nhold: none`);
    expect(out).to.match(/0\.1 +2 +serving +4 +5 % +64\.0 MB +1\.5 ms +0 +1 min 30 s/);
    expect(out).to.include('waiting for GET /slow in slot 0, 1.2 s, its client has gone');
    expect(out).to.not.include('\u001b');
  });

  it('stops the app, and returns when its data directory is free again', async () => {
    const cwd = scratch({ '.quiesce/web/x': '' });
    const dataDir = path.join(cwd, '.quiesce/web');
    await primary(dataDir);
    expect(await run(['stop'], { cwd })).to.include({ code: 0, out: `stopped (pid ${process.pid})\n` });
    await (await acquireLock(dataDir, { lost: () => undefined })).release();
  });

  it('stops a primary that is too old to know who orders', async () => {
    const cwd = scratch({ '.quiesce/web/x': '' });
    const asked: object[] = [];
    const answer = async (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> => {
      const body = JSON.parse(await text(request)) as object;
      asked.push(body);
      const error = new QuiesceError('bad-request', 'The body is wrong: by is not known.');
      const isKnown = !('by' in body);
      response.writeHead(isKnown ? 200 : 400, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(isKnown ? { pid: 7 } : error.toProblem()));
    };
    const older = http.createServer((request, response) => void answer(request, response));
    older.listen(path.join(cwd, '.quiesce/web/control.sock'));
    await once(older, 'listening');
    try {
      const own = ['--data-dir', path.join(cwd, '.quiesce/web')];
      expect(await run(['stop', ...own], { cwd })).to.include({ code: 0, out: 'stopped (pid 7)\n' });
      expect(asked.map((body) => 'by' in body)).to.deep.equal([true, false]);
    } finally {
      older.close();
    }
  });

  it('sends a feed with the headers that fit its name, and prints the report', async () => {
    const cwd = scratch({ 'feed.json': '[{"id":1}]', 'feed.ndjson': '{"id":1}\n' });
    const seen: unknown[] = [];
    const url = await app((request, response, body) => {
      const { 'content-type': type, 'content-encoding': coding, authorization, prefer } = request.headers;
      seen.push([request.method, request.url, type, coding, authorization, prefer, body.toString('base64')]);
      response.setHeader('Content-Type', 'application/json');
      response.end(
        JSON.stringify({
          feed: { items: 1, bytes: 10, digest: 'x' },
          counts: { inserted: 1, updated: 0, deleted: 0, unchanged: 0 },
          timings: { upload: 0, prepare: 0, scan: 0, total: 0 },
        }),
      );
    });
    const dry = await run(['sync', 'feed.json', '--url', url, '--dry-run'], { cwd });
    expect(dry).to.include({
      code: 0,
      out: 'would be: 1 inserted, 0 updated, 0 deleted, 0 unchanged (1 items, nothing was written)\n',
    });
    await run(
      ['sync', 'feed.ndjson', '--url', `${url}/other/route`, '--token', 'flag', '--json', '--max-deletes', '50%'],
      { cwd, env: { QUIESCE_SYNC_TOKEN: 'variable' } },
    );
    const packed = gzipSync('[]');
    await run(['sync', '-', '--url', url, '--json', '--ndjson'], {
      cwd,
      input: packed,
      env: { QUIESCE_SYNC_TOKEN: 'variable' },
    });
    expect(seen).to.deep.equal([
      [
        'PUT',
        '/api/sync?dryRun=true',
        'application/json',
        undefined,
        undefined,
        'return=representation',
        Buffer.from('[{"id":1}]').toString('base64'),
      ],
      [
        'PUT',
        '/other/route?maxDeletes=50%25',
        'application/x-ndjson',
        undefined,
        'Bearer flag',
        'return=representation',
        Buffer.from('{"id":1}\n').toString('base64'),
      ],
      [
        'PUT',
        '/api/sync',
        'application/x-ndjson',
        undefined,
        'Bearer variable',
        'return=representation',
        packed.toString('base64'),
      ],
    ]);
  });

  it('waits to send a feed while a primary that has the lock does not listen yet', async () => {
    const folder = scratch({ 'feed.json': '[]' });
    const lock = await acquireLock(folder, { lost: () => undefined });
    const url = await app((_request, response) => response.end('{}'));
    const sent = run(['sync', 'feed.json', '--data-dir', folder, '--json'], { cwd: folder });
    expect(await Promise.race([sent, sleep(1_000)]), 'before it listens').to.equal(undefined);
    const operations = await primary(folder, lock);
    operations.urls = () => [url];
    expect(await sent).to.include({ code: 0 });
  });

  it('ends with 6 when it is refused, before a large feed has been sent', async () => {
    const cwd = scratch({ 'feed.json': `[${'1,'.repeat(5_000_000)}1]` });
    let received = 0;
    const url = await app((request, response) => {
      request.on('data', (chunk: Buffer) => (received += chunk.length));
      response.statusCode = 409;
      response.setHeader('Content-Type', 'application/problem+json');
      response.end(
        JSON.stringify({
          type: 'urn:quiesce:problem:run-in-progress',
          title: '',
          status: 409,
          detail: 'Another run is going on.',
          code: 'run-in-progress',
        }),
      );
    }, true);
    expect(await run(['sync', 'feed.json', '--url', url], { cwd })).to.deep.equal({
      code: 6,
      out: '',
      err: 'quiesce: Another run is going on.\n',
    });
    expect(received).to.equal(0);
  });

  it('shows where a feed is wrong', async () => {
    const cwd = scratch({ 'feed.json': '[1,2]' });
    const url = await app((_request, response) => {
      response.statusCode = 422;
      response.end(
        JSON.stringify({
          type: 'x',
          title: '',
          status: 422,
          detail: 'The feed is invalid.',
          code: 'invalid-feed',
          errors: [{ pointer: '/0', detail: 'is no object' }],
          errorCount: 2,
        }),
      );
    });
    expect(await run(['sync', 'feed.json', '--url', url], { cwd })).to.deep.equal({
      code: 1,
      out: '',
      err: 'quiesce: The feed is invalid.\n  /0: is no object\n  … and 1 more\n',
    });
  });

  it('validates a configuration without running the app', async () => {
    const cwd = scratch({
      'package.json': '{"type":"module"}',
      'app.js': 'process.exit(9)',
      'ecosystem.config.js': `export const apps = [{ script: 'app.js', watch: true, quiesce: { mongodb: { uri: 'mongodb://me:s3cret@host/db' }, sync: { token: 's3cret' } } }]`,
    });
    const { code, out, err } = await run(['validate'], { cwd });
    expect(code).to.equal(0);
    expect(err).to.include('watch is not supported');
    expect(out).to.match(/^ +new primary +quiesce reload --primary replaces it/m);
    expect(out).to.include(path.join(cwd, 'app.js')).and.include('mongodb://…@host/db').and.not.include('s3cret');
    const json = await run(['validate', '--json'], { cwd });
    expect(JSON.parse(json.out)).to.have.nested.property('apps[0].name', 'app');
    expect(json.out).to.not.include('s3cret');
    const elsewhere = await run(['validate', '--data-dir', 'elsewhere'], { cwd });
    expect(elsewhere.out).to.match(/^ +data +.*\/elsewhere$/m);
    const rr = scratch({
      'app.js': '',
      'ecosystem.config.json': '{"apps":[{"script":"app.js","quiesce":{"scheduling":"rr"}}]}',
    });
    const accepting = await run(['validate', 'ecosystem.config.json'], { cwd: rr });
    expect(accepting.out).to.match(/^ +new primary +With scheduling: 'rr' the primary itself accepts/m);
    const pm2 = await run(['startup', 'pm2', '--data-dir', 'elsewhere'], { cwd });
    expect(pm2.out).to.include(`"QUIESCE_DATA_DIR": "${path.join(cwd, 'elsewhere')}"`);
  });

  it('prints a socket unit alone, and says what is to be done with it', async () => {
    const cwd = scratch({ 'app.js': '', 'ecosystem.config.json': '{"apps":[{"name":"web","script":"app.js"}]}' });
    const file = 'ecosystem.config.json';
    const known = await run(['startup', 'systemd', file, '--socket', '3000'], { cwd });
    expect(known).to.include({ code: 0 });
    expect(known.out)
      .to.match(/^\[Unit\]\n[^]*\nListenStream=3000\n/)
      .and.not.include('[Service]');
    expect(known.err).to.match(
      /^Save it as .*\/web\.socket, beside web\.service, then: .*systemctl enable --now web\.socket/,
    );
    const assumed = await run(['startup', 'systemd', file, '--socket'], { cwd, env: { PORT: '3000', HOST: '' } });
    expect(assumed.out).to.include('\nListenStream=127.0.0.1:3000\n');
    expect(assumed.err).to.match(/^warning: HOST is not set.*--socket 3000/);
    const docker = await run(['startup', 'docker', file, '--socket'], { cwd });
    expect(docker).to.include({ code: 2, out: '' });
    expect(docker.err).to.include('--socket is for systemd');
  });
});
