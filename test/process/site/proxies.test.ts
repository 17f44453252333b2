/** nginx and HAProxy with the configurations of docs/proxies.md, in front of two sites. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { freePort } from '../../../dev/free-port.ts';
import { scratchFolders } from '../../unit/scratch.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { send } from '../harness/clients/lines.ts';
import { until } from '../harness/until.ts';

interface Proxy {
  readonly name: 'nginx' | 'haproxy';
  /** The arguments that run it in the foreground with this configuration, writing below this folder only. */
  args(file: string, folder: string): string[];
}

const proxies: readonly Proxy[] = [
  { name: 'haproxy', args: (file) => ['-db', '-f', file] },
  {
    name: 'nginx',
    args: (file, folder) => [
      '-p',
      folder,
      '-c',
      file,
      '-g',
      `daemon off; pid ${folder}/nginx.pid; error_log stderr warn;`,
    ],
  },
];

const isThere = ({ name }: Proxy): boolean => spawnSync(name, ['-v']).error === undefined;
const script = fileURLToPath(new URL('../fixtures/site.js', import.meta.url));

for (const proxy of proxies) {
  describe(`two sites behind ${proxy.name}`, function () {
    this.timeout(90_000);
    const clusters = usePlainClusters();
    const scratch = scratchFolders();
    let child: ChildProcess | undefined;
    let asking = false;

    before(function () {
      // Debian has both; .ci/run installs them where it may.
      if (!isThere(proxy)) this.skip();
    });

    afterEach('the proxy ended', async () => {
      asking = false;
      if (child === undefined || child.exitCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      await exit;
    });

    async function start(sites: readonly Cluster[]): Promise<string> {
      const port = await freePort();
      const folder = scratch({});
      const docs = await readFile('docs/proxies.md', 'utf8');
      const [, config] = new RegExp(`\`\`\`${proxy.name}\\n(.*?)\`\`\``, 's').exec(docs) ?? [];
      if (config === undefined) throw new Error(`docs/proxies.md has no configuration of ${proxy.name}`);
      const file = join(folder, 'proxy.conf');
      const ports: Record<string, number> = { 8080: port, 3001: sites[0]!.port, 3002: sites[1]!.port };
      await writeFile(
        file,
        config.replaceAll(/127\.0\.0\.1:(\d+)/g, (_, own: string) => `127.0.0.1:${ports[own]}`),
      );
      child = spawn(proxy.name, proxy.args(file, folder), { stdio: ['ignore', 'inherit', 'pipe'] });
      let words = '';
      child.stderr?.setEncoding('utf8').on('data', (text: string) => (words += text));
      const url = `http://127.0.0.1:${port}/`;
      await until('the proxy serves', async () => {
        if (child?.exitCode !== null) throw new Error(`${proxy.name} ended: ${words}`);
        return send(url).then(
          ({ status }) => status === 200,
          () => false,
        );
      });
      return url;
    }

    it('serve through a reload, pass the 503 of a hold on, and survive the death of one', async () => {
      const [one, two] = await Promise.all(
        ['one', 'two'].map((SITE) => clusters.start({ script, instances: 1, env: { SITE } })),
      );
      if (one === undefined || two === undefined) throw new Error('two sites were started');
      const url = await start([one, two]);

      const ever = new Set<string>();
      let answers: string[] = [];
      asking = true;
      const load = Array.from({ length: 4 }, async () => {
        while (asking) {
          const answer = await send(url).then(
            ({ status, text, headers }) =>
              status === 200 ? text : `${status}, Retry-After ${headers['retry-after'] === undefined ? 'no' : 'yes'}`,
            (error: Error) => error.message,
          );
          answers.push(answer);
          ever.add(answer);
        }
      });
      const seen = (): string[] => [...new Set(answers)].sort();

      await until('both answer', () => seen().length === 2);
      await one.control.reload();
      expect(seen(), 'during a reload').to.deep.equal(['one', 'two']);

      await one.control.maintenance({ on: true, reason: 'a new disk' });
      await until('one of them is held', async () => {
        answers = [];
        await delay(100);
        return answers.includes('two') && !answers.includes('one');
      });
      expect(answers).to.include('two');
      for (const answer of seen()) expect(answer).to.be.oneOf(['two', '503, Retry-After yes']);

      await two.control.maintenance({ on: true, reason: 'a new disk' });
      await until('both are held', async () => {
        answers = [];
        await delay(100);
        return answers.length > 0 && !answers.includes('two');
      });
      expect(seen()).to.deep.equal(['503, Retry-After yes']);
      const page = await send(url, { headers: { Accept: 'text/html' } });
      expect(page.status).to.equal(503);
      expect(page.text, "the site's own page").to.include('a new disk');

      await Promise.all([one, two].map((site) => site.control.maintenance({ on: false })));
      await until('both serve again', () => ['one', 'two'].every((site) => answers.includes(site)));
      answers = [];
      await one.kill();
      await until('the other answers', () => answers.length > 200);
      await until('it alone answers', async () => {
        answers = [];
        await delay(200);
        return answers.length > 0 && seen().join() === 'two';
      });

      await two.kill();
      await until('nobody answers', async () => {
        answers = [];
        await delay(200);
        return seen().join() === '503, Retry-After yes';
      });
      asking = false;
      await Promise.all(load);
      // HAProxy's 502 is a request that was in flight in the last process when that was killed.
      ever.delete('502, Retry-After yes');
      expect([...ever].sort(), 'all the while').to.deep.equal(['503, Retry-After yes', 'one', 'two']);
    });
  });
}
