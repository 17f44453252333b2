import { expect } from 'chai';
import express from 'express';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { mirror } from '#quiesce/worker/feed/mirror-route.js';
import { until } from '../../../process/harness/until.ts';
import { answerWith, runtime } from '../fake-primary.ts';

describe('the event streams of a worker', () => {
  const run = { id: 'r', kind: 'sync', state: 'preparing', startedAt: new Date(0).toISOString() };
  let server: http.Server;
  let url: string;

  before(async () => {
    await runtime().settings;
    answerWith(() => ({ value: run }));
    server = http.createServer(express().use('/api/sync', mirror({ collection: 'resources' }))).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/sync/r`;
  });
  after(() => {
    answerWith(() => ({}));
    server.closeAllConnections();
    server.close();
  });

  /** The answer's head; the stream stays open. */
  async function follow(accept = 'text/event-stream'): Promise<http.IncomingMessage> {
    const request = http.get(url, { agent: false, headers: { accept } });
    request.on('error', () => {});
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.on('error', () => {}).resume();
    return response;
  }

  it('are 100: the next gets 503 until one is closed, and JSON all the time', async () => {
    const streams = await Promise.all(Array.from({ length: 100 }, () => follow()));
    expect(new Set(streams.map(({ statusCode }) => statusCode))).to.deep.equal(new Set([200]));
    const refused = await follow();
    expect(refused.statusCode).to.equal(503);
    expect(Number(refused.headers['retry-after'])).to.be.above(0);
    expect((await follow('application/json')).statusCode).to.equal(200);
    streams[0]!.destroy();
    await until('a place is free', async () => (await follow()).statusCode === 200);
  });
});
