import { expect } from 'chai';
import type express from 'express';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { streamEvents } from '#quiesce/primary/admin/events.js';
import { adminApp } from '#quiesce/primary/admin/routes.js';
import { guardTcp } from '#quiesce/primary/admin/guard.js';
import { SseParser, type ServerEvent } from '#quiesce/dashboard/page/live/sse.js';
import type { History } from '#quiesce/protocol/api/live.js';
import { until } from '../../../process/harness/until.js';
import { FakeCluster } from '../../dashboard/fake-cluster.js';
import { aRunThatWaited } from './fake-operations.js';

const token = 'a-token-that-is-long-enough';

/** Reads a stream until it is closed. */
class Reader {
  readonly events: ServerEvent[] = [];
  readonly parser = new SseParser();
  readonly #request: http.ClientRequest;
  ended = false;
  #waiting: (() => void) | null = null;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.#request = http.get(url, { headers }, (response) => {
      response.once('end', () => (this.ended = true));
      response.setEncoding('utf8').on('data', (text: string) => {
        this.events.push(...this.parser.push(text));
        this.#waiting?.();
      });
    });
    this.#request.on('error', () => {});
  }

  async until(done: (events: readonly ServerEvent[]) => boolean): Promise<readonly ServerEvent[]> {
    while (!done(this.events)) await new Promise<void>((resolve) => (this.#waiting = resolve));
    return this.events;
  }

  /** Resolves with the names of the first events. */
  async names(count: number): Promise<string[]> {
    return (await this.until((events) => events.length >= count)).slice(0, count).map(({ type }) => type);
  }

  close(): void {
    this.#request.destroy();
  }
}

describe('GET /api/events', () => {
  let cluster: FakeCluster;
  let server: http.Server;
  let url: string;
  const readers: Reader[] = [];
  const read = (headers: Record<string, string> = {}, query = '?detail=true'): Reader => {
    const reader = new Reader(`${url}/api/events${query}`, headers);
    readers.push(reader);
    return reader;
  };

  beforeEach(async () => {
    cluster = new FakeCluster({ workers: 2 });
    const guard = guardTcp({ token, host: '127.0.0.1' });
    server = http.createServer(adminApp(cluster, cluster.live, { guard, onError: () => {} })).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    for (const reader of readers.splice(0)) reader.close();
    server.closeAllConnections();
    server.close();
    cluster.live.close();
  });

  it('tells the status at once and at each change, and nothing else where no detail is asked for', async () => {
    const reader = read({}, '');
    expect(await reader.names(1)).to.deep.equal(['status']);
    cluster.tick();
    expect(await reader.names(2)).to.deep.equal(['status', 'status']);
  });

  it('ends where another primary serves, so that readers read there', async () => {
    const reader = read({}, '');
    await reader.names(1);
    cluster.live.leave();
    await until('it ends', () => reader.ended);
  });

  it('has 64 places, and others for those with the token', async () => {
    const all = Array.from({ length: 64 }, () => read({}, ''));
    await Promise.all(all.map((reader) => reader.names(1)));
    const refused = await fetch(`${url}/api/events`);
    expect(refused.status).to.equal(503);
    expect(Number(refused.headers.get('retry-after'))).to.be.above(0);
    expect(await refused.json()).to.include({ code: 'too-many-streams' });
    expect(await read({ Authorization: `Bearer ${token}` }, '').names(1)).to.deep.equal(['status']);
    expect((await fetch(`${url}/api/status`)).status).to.equal(200);
    all[0]!.close();
    await until('a place is free', async () => {
      const controller = new AbortController();
      const { status } = await fetch(`${url}/api/events`, { signal: controller.signal });
      controller.abort();
      return status === 200;
    });
  });

  it('begins with what is remembered, and goes on with what happens', async () => {
    for (let second = 0; second < 5; second++) cluster.tick();
    const reader = read();
    expect(await reader.names(2)).to.deep.equal(['history', 'status']);
    const history = JSON.parse(reader.events[0]!.data) as History;
    expect(history.samples).to.have.length(5);
    expect(history.samples.at(-1)!.served).to.be.within(700, 1_300);
    cluster.hold('operator', 'works');
    cluster.move('draining');
    const events = await reader.until((all) => all.some(({ type }) => type === 'pause'));
    expect(JSON.parse(events.find(({ type }) => type === 'pause')!.data)).to.deep.include({ epoch: 42, refused: 0 });
  });

  it('tells the paths of requests to those with the token, and their routes to others', async () => {
    cluster.setRun(aRunThatWaited('/reset/s3cret'));
    const waited = { slot: 0, method: 'GET', path: '/reset/s3cret', route: '/reset/:token', age: 1 };
    const readers = [read(), read({ Authorization: `Bearer ${token}` })] as const;
    for (const reader of readers) await reader.names(2);
    cluster.waitingFor = [waited];
    cluster.move('draining');
    cluster.setRun({ ...aRunThatWaited('/reset/s3cret'), id: 'r2' });
    const has = (type: string, part: string) => (events: readonly ServerEvent[]) =>
      events.some((event) => event.type === type && event.data.includes(part));
    for (const [reader, path] of [
      [readers[0], '/reset/:token'],
      [readers[1], '/reset/s3cret'],
    ] as const) {
      await reader.until((events) => has('run', 'r2')(events) && has('status', `"path":"${path}"`)(events));
      for (const type of ['history', 'status', 'run']) expect(has(type, path)(reader.events), type).to.equal(true);
    }
    expect(JSON.stringify(readers[0].events)).to.not.include('s3cret');
  });

  it('gives a reader that comes back what it has missed, once and in order', async () => {
    const first = read();
    await first.names(2);
    cluster.tick();
    await first.until((events) => events.some(({ type }) => type === 'sample'));
    first.close();
    const { lastId } = first.parser;
    cluster.tick();
    cluster.setRun({ id: 'r1', kind: 'sync', state: 'uploading', startedAt: new Date().toISOString() });
    cluster.tick();
    const second = read({ 'Last-Event-ID': lastId });
    expect(await second.names(4)).to.deep.equal(['sample', 'run', 'sample', 'status']);
  });

  it('begins anew for an id of another primary', async () => {
    expect(await read({ 'Last-Event-ID': 'AAAAAAAA.3' }).names(2)).to.deep.equal(['history', 'status']);
    expect(await read({ 'Last-Event-ID': '\u00ff' }).names(2)).to.deep.equal(['history', 'status']);
  });

  it('shows the log to those only who carry the token', async () => {
    cluster.log(30, 'a customer, by name');
    const stranger = read();
    const friend = read({ Authorization: `Bearer ${token}` });
    await Promise.all([stranger.names(2), friend.names(2)]);
    const seen = [stranger, friend].map(({ events }) => JSON.parse(events[0]!.data) as History);
    expect(seen.map(({ trusted }) => trusted)).to.deep.equal([false, true]);
    expect(seen.map(({ log }) => log.length)).to.deep.equal([0, 1]);
    cluster.log(30, 'another one');
    await friend.until((events) => events.some(({ type }) => type === 'log'));
    cluster.tick();
    await stranger.until((events) => events.some(({ type }) => type === 'sample'));
    expect(stranger.events.map(({ type }) => type)).to.not.include('log');
    expect(JSON.stringify(stranger.events)).to.not.include('customer');
  });

  it('refuses a detail that is neither true nor false', async () => {
    expect((await fetch(`${url}/api/events?detail=yes`)).status).to.equal(400);
  });

  it('stops watching the cluster when the last reader has gone', async () => {
    const reader = read();
    await reader.names(2);
    expect(cluster.watchers).to.equal(1);
    reader.close();
    while (cluster.watchers > 0) await new Promise(setImmediate);
  });

  it('gives a slow reader the newest status, not a queue of old ones', async () => {
    const slow = Object.assign(new EventEmitter(), {
      writableNeedDrain: true,
      written: '',
      set: () => {},
      flushHeaders: () => {},
      write: (text: string) => void (slow.written += text),
    });
    const response = slow as unknown as express.Response;
    const request = { query: {}, get: () => undefined, socket: { setTimeout: () => {} } } as unknown as express.Request;
    streamEvents(cluster.live, { trusted: false }, request, response);
    for (let second = 0; second < 100; second++) cluster.tick();
    expect(slow.written).to.equal('');
    slow.writableNeedDrain = false;
    slow.emit('drain');
    slow.emit('close');
    const events = new SseParser().push(slow.written);
    expect(events.map(({ type }) => type)).to.deep.equal(['status']);
    expect(JSON.parse(events[0]!.data)).to.deep.equal(JSON.parse(JSON.stringify(cluster.status())));
  });
});
