/** Whoever reads the log of `quiesce start` stops reading, or goes away. */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));
/** More than a pipe takes. */
const lines = 5_000;

describe('a log that goes into a pipe', function () {
  this.timeout(60_000);
  const clusters = usePlainClusters();
  let reader: number;
  let cluster: Cluster;

  beforeEach('a cluster, and nobody who reads', async () => {
    cluster = await clusters.create({ script: app, instances: 1, under: ['sh', '-c', 'exec "$@" >pipe', 'sh'] });
    const pipe = join(cluster.folder, 'pipe');
    expect(spawnSync('mkfifo', [pipe]).status).to.equal(0);
    reader = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    cluster.launch();
    await cluster.ready();
    await fetch(`${cluster.url}/lines?count=${lines}`);
    const log = join(cluster.dataDir, 'quiesce.log');
    await until('all lines are in the file', () => readFileSync(log, 'utf8').includes(`line ${lines - 1} `));
  });

  it('that nobody reads keeps the cluster neither from serving nor from its end, and says what is missing', async () => {
    expect((await fetch(cluster.url)).status).to.equal(200);
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
    expect(cluster.output).to.equal('the end of the log is not on stdout: nobody has read it for 3 s.\n');
    closeSync(reader);
  });

  it('that is read late is there to its last line', async () => {
    const ended = cluster.stop();
    let text = '';
    const chunk = Buffer.alloc(65_536);
    await until('the end', async () => {
      try {
        for (let length = -1; length !== 0;) {
          length = readSync(reader, chunk);
          text += chunk.toString('utf8', 0, length);
        }
        return true; // nobody writes any more
      } catch (error) {
        expect(error).to.include({ code: 'EAGAIN' });
        return false;
      }
    });
    expect(await ended).to.deep.equal({ code: 0, signal: null });
    closeSync(reader);
    expect(text.match(/line \d+ /g)).to.deep.equal(Array.from({ length: lines }, (_, index) => `line ${index} `));
    expect(text.trimEnd().split('\n').at(-1)).to.include('ended with code 0');
    expect(cluster.output).to.equal('');
  });

  it('whose reader goes away in the middle does not disturb anybody', async () => {
    closeSync(reader);
    expect((await fetch(cluster.url)).status).to.equal(200);
    await cluster.control.reload();
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
    expect(cluster.output).to.equal('');
  });
});
