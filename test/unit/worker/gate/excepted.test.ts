import { expect } from 'chai';
import { once } from 'node:events';
import { pause, runtime } from '../fake-primary.ts';
import { get, useGatedServer } from './gated-server.ts';

describe('the gate of a worker', () => {
  const { appWith, serve, raw } = useGatedServer();

  it('lets paths that the configuration excepts pass as well, read as Express reads them', async () => {
    const port = await serve(appWith({ except: ['/other'] }));
    runtime().except = ['/ok'];
    try {
      pause();
      const status = async (target: string): Promise<string | undefined> => {
        const socket = await raw(port, get(target, 'Connection: close\r\n'));
        await once(socket, 'close');
        return socket.received.split(' ')[1];
      };
      expect(await status('/ok')).to.equal('200');
      expect(await status('/ok/below')).to.equal('404');
      for (const target of ['/okay', 'javascript://hold/ok', 'http://x;hold/ok', '/ok/../hold'])
        expect(await status(target), target).to.equal('503');
      expect(runtime().gate.inFlight).to.equal(0);
    } finally {
      runtime().except = [];
    }
  });
});
