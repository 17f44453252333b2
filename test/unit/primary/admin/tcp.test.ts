import { expect } from 'chai';
import { AdminTcp } from '#quiesce/primary/admin/tcp.js';
import { freePort } from '../../../../dev/free-port.ts';

describe('the TCP side of the admin server', () => {
  const errors: unknown[] = [];
  const log = { info: () => {}, warn: () => {}, error: (fields: unknown) => void errors.push(fields) };
  let tcp: AdminTcp;

  beforeEach(() => {
    errors.length = 0;
    tcp = new AdminTcp((host) => (_req, res) => void res.end(host), log);
  });
  afterEach(() => tcp.close());

  /** Which of its hosts answers. */
  const answers = async (port: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text();

  for (const to of ['another port', 'another host with the same port'] as const) {
    for (const end of ['commit', 'undo'] as const) {
      it(`moves to ${to}, or stays where it was: ${end}`, async () => {
        const port = await freePort();
        await tcp.start({ host: '127.0.0.1', port });
        const next = to === 'another port' ? { host: 'localhost', port: await freePort() } : { host: '0.0.0.0', port };
        const move = await tcp.prepare(next);
        await move[end]();
        const now = end === 'commit' ? next : { host: '127.0.0.1', port };
        expect(await answers(now.port)).to.equal(now.host);
        expect(errors).to.deep.equal([]);
      });
    }
  }
});
