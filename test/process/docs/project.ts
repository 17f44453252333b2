/** A folder as a reader of the documentation has it: an app, a configuration, a feed, and quiesce installed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ControlClient } from '#quiesce/cli/control-client.js';
import { dataPlace } from '#quiesce/config/data-place.js';
import { freePort } from '../../../dev/free-port.ts';
import { root } from '../../../dev/docs/generated.ts';
import { runProgram } from '../harness/commands/command.ts';
import type { TestDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';

const repository = fileURLToPath(root);

/** The app that the README shows. */
export async function appOfReadme(): Promise<string> {
  const [, code] = /```js\n(.*?)```/s.exec(await readFile(new URL('README.md', root), 'utf8')) ?? [];
  if (code === undefined) throw new Error('the README shows no app');
  return code;
}

/** Packs the package into this folder. Returns the name of the file there, and what is in it. */
export async function packInto(folder: string): Promise<{ tarball: string; files: string[] }> {
  const { code, out, err } = await runProgram('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: repository,
  });
  if (code !== 0) throw new Error(`npm pack failed: ${err}`);
  const [made] = JSON.parse(out) as { filename: string; files: { path: string }[] }[];
  return { tarball: `./${made!.filename}`, files: made!.files.map((file) => file.path) };
}

export class Project {
  readonly folder: string;
  /** Where the app answers. */
  readonly url: string;
  readonly #substitutions: (readonly [string, string])[];
  readonly #env: NodeJS.ProcessEnv;
  #running: { child: ChildProcess; exited: Promise<unknown> } | null = null;
  #output = '';

  private constructor(folder: string, database: TestDatabase, port: number, adminPort: number) {
    const { QUIESCE_DATA_DIR: _dir, QUIESCE_SYNC_TOKEN: _token, HOST: _host, ...inherited } = process.env;
    const uri = new URL(database.uri);
    uri.pathname = `/${database.name}`;
    this.folder = folder;
    this.url = `http://127.0.0.1:${port}`;
    this.#substitutions = [
      ['mongodb://127.0.0.1:27017/shop', uri.href],
      ['127.0.0.1:9615', `127.0.0.1:${adminPort}`],
      ['127.0.0.1:3000', `127.0.0.1:${port}`],
      ['PORT=3999', `PORT=${port}`],
    ];
    this.#env = {
      ...inherited,
      MONGODB_URI: uri.href,
      PORT: String(port),
      NO_COLOR: '1',
      PATH: [join(folder, 'node_modules', '.bin'), inherited['PATH']].join(delimiter),
    };
  }

  /** An empty folder. */
  static async empty(database: TestDatabase, adminPort = 9615): Promise<Project> {
    const folder = await mkdtemp(join(await realpath(tmpdir()), 'quiesce-docs-'));
    return new Project(folder, database, await freePort(), adminPort);
  }

  /** @param from the folder in which npm has installed quiesce; by default the repository is the package */
  static async create(database: TestDatabase, from?: string): Promise<Project> {
    const adminPort = await freePort();
    const project = await Project.empty(database, adminPort);
    const { folder } = project;
    const modules = join(folder, 'node_modules');
    await mkdir(join(modules, '.bin'), { recursive: true });
    const quiesce = from === undefined ? repository : join(from, 'node_modules', 'quiesce');
    await symlink(quiesce, join(modules, 'quiesce'));
    for (const name of ['express', '@opentelemetry'])
      await symlink(join(from ?? repository, 'node_modules', name), join(modules, name));
    // What npm would make of the package's `bin`.
    const command = `#!/bin/sh\nexec "${process.execPath}" "${join(quiesce, 'dist', 'cli', 'main.js')}" "$@"\n`;
    await writeFile(join(modules, '.bin', 'quiesce'), command, { mode: 0o755 });
    // Of npx, nothing but that it finds a command there: npm itself takes a second to start.
    await writeFile(join(modules, '.bin', 'npx'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
    const app = { name: 'app', script: 'app.js', instances: 2, quiesce: { admin: { port: adminPort } } };
    const files = {
      'package.json': '{ "type": "module", "private": true }',
      'app.js': await appOfReadme(),
      'ecosystem.config.js': `export const apps = [${JSON.stringify(app)}];\n`,
      'feed.json': '[{"id":"a","size":1},{"id":"b","size":2}]',
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    return project;
  }

  /** What commands and files say stands for something else here. */
  substitute(from: string, to: string): void {
    this.#substitutions.push([from, to]);
  }

  async write(name: string, text: string): Promise<void> {
    const mode = text.startsWith('#!') ? 0o755 : 0o644;
    await mkdir(dirname(join(this.folder, name)), { recursive: true });
    await writeFile(join(this.folder, name), this.#here(text), { mode });
  }

  /** Ends what runs from here, and starts this; resolves when it serves. @param place where the configuration is */
  async start(script: string, place: string = this.folder): Promise<void> {
    await this.stop();
    const child = this.#spawn(script);
    const exited = once(child, 'close');
    this.#running = { child, exited };
    const control = new ControlClient(dataPlace('app', place, process.env).dataDir);
    const serves = async (): Promise<boolean> => {
      if (child.exitCode !== null) throw new Error(`it ended before it served: ${this.#output}`);
      const status = await control.status().catch(() => null);
      return status !== null && status.workers.length > 0 && status.workers.every(({ state }) => state === 'serving');
    };
    await until('it serves', serves, { within: 60_000 });
  }

  /** Resolves with what it printed. Rejects where it ends with another code than 0, or not at all. */
  async run(script: string, within = 60_000): Promise<string> {
    const child = this.#spawn(script);
    const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), within);
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    clearTimeout(timer);
    if (code === 0) return this.#output;
    throw new Error(`ended with ${signal ?? `code ${code}`}:\n${script}\n${this.#output}`);
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #here(text: string): string {
    return this.#substitutions.reduce((given, [from, to]) => given.replaceAll(from, to), text);
  }

  #spawn(script: string): ChildProcess {
    // A process group of its own, so that all of it can be ended.
    const child = spawn('bash', ['-euo', 'pipefail', '-c', this.#here(script)], {
      cwd: this.folder,
      env: this.#env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (this.#output += chunk));
    }
    return child;
  }

  /** Ends what runs from here. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    if (running.child.exitCode === null) process.kill(-running.child.pid!, 'SIGKILL');
    await running.exited;
  }
}
