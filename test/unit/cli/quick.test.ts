/** What `--version` and `status` load. Modules are counted: how long that takes depends on the machine. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { buildProgram } from '#quiesce/cli/program.js';
import { parseStatus } from '#quiesce/cli/quick.js';
import { version } from '#quiesce/version.js';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../scratch.js';

const scratch = scratchFolders();
const main = resolve('dist/cli/main.js');

/** Writes the URL of each module that a process loads to a file. Node 20 has no hooks in the same thread. */
const noting = `
import { appendFileSync } from 'node:fs';
import * as module from 'node:module';
import { isMainThread } from 'node:worker_threads';
export function load(url, context, next) {
  appendFileSync(process.env.LOADED, url + '\\n');
  return next(url, context);
}
if (module.registerHooks !== undefined) module.registerHooks({ load });
else if (isMainThread) module.register(import.meta.url);
`;

const status: ClusterStatus = {
  name: 'shop',
  pid: 12345,
  phase: 'serving',
  epoch: 3,
  holds: [],
  workers: [
    {
      slot: 0,
      incarnation: 1,
      pid: 12346,
      state: 'serving',
      inFlight: 2,
      cpu: 1,
      memory: 50_000_000,
      eventLoopDelay: 10,
      restarts: 0,
      uptime: 5000,
    },
  ],
  run: null,
  waitingFor: [],
};

describe('what is asked often loads little', function () {
  this.timeout(30_000);

  interface Called {
    readonly out: string;
    readonly own: readonly string[];
    readonly packages: readonly string[];
  }

  async function call(folder: string, ...args: string[]): Promise<Called> {
    const hooks = join(scratch({ 'hooks.mjs': noting }), 'hooks.mjs');
    const file = `${hooks}.loaded`;
    writeFileSync(file, '');
    const env = { ...process.env, LOADED: file, QUIESCE_DATA_DIR: '' };
    const { stdout: out } = await promisify(execFile)(process.execPath, ['--import', hooks, main, ...args], {
      cwd: folder,
      env,
    });
    const loaded = readFileSync(file, 'utf8')
      .split('\n')
      .filter((url) => url.startsWith('file:') && url.includes(resolve('.')));
    const packages = loaded.map((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? '');
    return {
      out,
      own: loaded.filter((url) => !url.includes('node_modules')),
      packages: [...new Set(packages)].filter((name) => name !== ''),
    };
  }

  /** What a primary answers on its control socket. */
  async function answering(dataDir: string): Promise<http.Server> {
    const server = http.createServer((_request, response) => response.end(JSON.stringify(status)));
    await new Promise<void>((done) => server.listen(join(dataDir, 'control.sock'), done));
    return server;
  }

  it('--version: no package, and seven files at most', async () => {
    const { out, own, packages } = await call(scratch({}), '--version');
    expect(out).to.equal(`${version}\n`);
    expect(packages).to.deep.equal([]);
    expect(own).to.have.length.within(1, 7);
  });

  it('status: no package, and thirty files at most', async () => {
    const dataDir = scratch({});
    const server = await answering(dataDir);
    try {
      const { out, own, packages } = await call(scratch({}), 'status', '--data-dir', dataDir);
      expect(out).to.equal(
        'shop  serving  epoch 3  pid 12345\n' +
          'slot    pid  state    in flight  cpu   memory  loop delay  restarts  uptime\n' +
          ' 0.1  12346  serving          2  1 %  47.7 MB     10.0 ms         0   5.0 s\n',
      );
      expect(packages).to.deep.equal([]);
      expect(own).to.have.length.within(1, 30);
    } finally {
      server.close();
    }
  });

  it('status beside a configuration: what reads that file, and nothing that checks it', async () => {
    const folder = scratch({
      'app.js': '',
      'ecosystem.config.json': '{"apps": [{"script": "app.js", "quiesce": {"data_dir": "data"}}]}',
      'data/x': '',
    });
    const server = await answering(join(folder, 'data'));
    try {
      const { out, own, packages } = await call(folder, 'status', '--json');
      expect(JSON.parse(out)).to.deep.equal(status);
      expect(packages).to.deep.equal(['leven']);
      expect(own).to.have.length.within(1, 35);
    } finally {
      server.close();
    }
  });

  it('reads the options of status as the command line does, and leaves it what it does not understand', () => {
    for (const words of ['', '--json', '--data-dir /x --only shop', '--data-dir=/x --watch', '--config a --config b']) {
      const args = words.split(' ').filter(Boolean);
      const declared = buildProgram(() => undefined).commands.find((command) => command.name() === 'status')!;
      declared.parseOptions(args);
      expect(parseStatus(args), words).to.deep.equal(declared.opts());
    }
    for (const words of ['--help', '--jsn', 'x', '--data-dir', '--json=1'])
      expect(parseStatus(words.split(' ')), words).to.equal(null);
  });
});
