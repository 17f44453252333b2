import { expect } from 'chai';
import express from 'express';
import express4 from 'express4';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { pathOf, plainPathOf } from '#quiesce/worker/gate/routes/target.js';

const targets: readonly (readonly [target: string, plain: string | null])[] = [
  ['/health', '/health'],
  ['/health/db?x=/../y', '/health/db'],
  ['/health?', '/health'],
  ['http://x/health?y', '/health'],
  ['https://[::1]:80/health', '/health'],
  ['http://x', '/'],
  ['/health.json/..a', '/health.json/..a'],
  // Gate and routes would read these differently, or two kinds of routes would.
  ['javascript://orders/health', null],
  ['http://x;orders/health', null],
  ['http://x@y/health', null],
  ['http://x#y/health', null],
  ['//health', null],
  ['/\\health', null],
  ['/health#/orders', null],
  ['/health/../orders', null],
  ['/health/%2E%2e/orders', null],
  ['/health/.', null],
  ['*', null],
];

describe('the path of a request', () => {
  for (const [target, plain] of targets) {
    it(`is ${plain ?? 'not plain'} in ${target}`, () => {
      expect(plainPathOf({ url: target } as IncomingMessage)).to.equal(plain);
    });
  }

  it('is the one that Express finds its routes by, 4 and 5', async () => {
    for (const make of [express, express4]) {
      let seen: string | undefined;
      const app = make().use((req, res) => {
        seen = req.path;
        res.end();
      });
      const server = app.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      for (const [target] of targets) {
        const socket = connect(port, '127.0.0.1');
        socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        const [answer] = (await once(socket, 'data')) as [Buffer];
        socket.destroy();
        // What node:http itself refuses reaches no route.
        if (String(answer).includes(' 200 ')) expect(pathOf({ url: target } as IncomingMessage), target).to.equal(seen);
        else expect(plainPathOf({ url: target } as IncomingMessage), target).to.equal(null);
      }
      server.close();
    }
  });
});
