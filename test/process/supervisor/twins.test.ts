import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));
const command = fileURLToPath(import.meta.resolve('#quiesce/cli/main.js'));

describe('twin primaries', function () {
  this.timeout(240_000);
  const clusters = usePlainClusters();

  it('started 50 times at the same moment: one runs, 49 exit with 3 and name it', async () => {
    const cluster = await clusters.create({ script: app, instances: 1 });
    const twins = Array.from({ length: 50 }, () => {
      const child = spawn(process.execPath, [command, 'start', '--no-keeper', cluster.configFile], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let text = '';
      child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
      const ended = once(child, 'close').then(() => ({ pid: child.pid, code: child.exitCode, text }));
      return { child, ended };
    });
    try {
      const refused: { pid: number | undefined; code: number | null; text: string }[] = [];
      for (const twin of twins) void twin.ended.then((end) => refused.push(end));
      const { pid } = await until(
        '49 have given up and one serves',
        async () => {
          const status = await cluster.status().catch(() => null);
          const serving = status?.workers.every(({ state }) => state === 'serving') ?? false;
          return refused.length === 49 && serving ? status : null;
        },
        { within: 180_000 },
      );
      expect(refused.filter(({ code }) => code !== 3)).to.deep.equal([]);
      expect(twins.find(({ child }) => child.exitCode === null)?.child.pid).to.equal(pid);
      const named = refused.filter(({ text }) => text.includes(`pid ${pid}`));
      expect(named.length, 'all that did not find it in the middle of its own start name it').to.be.at.least(1);
    } finally {
      for (const { child } of twins) child.kill('SIGTERM');
      await Promise.all(twins.map(({ ended }) => ended));
    }
  });
});
