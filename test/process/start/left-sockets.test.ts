import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { expect } from 'chai';
import { usePlainClusters } from '../harness/clusters/clusters.ts';

const app = `require('node:http').createServer((_req, res) => res.end('served'))
  .listen(process.env.SOCKET, () => process.send?.('listens'));`;
/** As PM2's cluster mode: the daemon binds the socket for its workers. */
const daemon = `const cluster = require('node:cluster');
  cluster.setupPrimary({ exec: process.argv[1], execArgv: [] });
  cluster.fork().on('listening', () => process.send('listens'));`;

async function get(socketPath: string): Promise<string> {
  const request = http.get({ socketPath, path: '/', agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

describe('a Unix socket that a killed process has left behind', function () {
  this.timeout(120_000);
  const clusters = usePlainClusters();

  it('is in the way of no start: of plain Node, of a cluster as PM2 makes it, of quiesce itself', async () => {
    const { folder } = await clusters.create();
    const script = join(folder, 'app.cjs');
    const socket = join(folder, 'app.sock');
    await writeFile(script, app);
    const cluster = await clusters.create({ script, instances: 2, env: { SOCKET: socket } });
    for (const args of [[script], ['-e', daemon, script]]) {
      const other = spawn(process.execPath, args, {
        env: { ...process.env, SOCKET: socket },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      });
      await once(other, 'message');
      other.kill('SIGKILL');
      await once(other, 'exit');
      expect(existsSync(socket), 'it is left').to.equal(true);
      cluster.launch();
      await cluster.ready();
      expect(await get(socket)).to.equal('served');
      expect(cluster.output).to.include('nobody answers on it, so it is removed').and.not.to.include('EADDRINUSE');
      await cluster.control.reload();
      expect(await get(socket), 'after a reload').to.equal('served');
      await cluster.stop();
    }
    cluster.launch();
    await cluster.ready();
    await cluster.kill();
    expect(existsSync(socket)).to.equal(true);
    cluster.launch();
    await cluster.ready();
    expect(await get(socket)).to.equal('served');
  });
});
