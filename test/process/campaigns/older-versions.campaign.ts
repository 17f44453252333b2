/**
 * `npm run campaign:older`: sites that an older quiesce has started, packed from the history, are taken to this one: by
 * `reload --primary` as far as can be, else by what its refusal says. An operator's hold outlives it, whichever way it goes.
 *
 * QUIESCE_OLDER: the commits. Default: the one before there was a keeper, the last one whose keeper replaces no primary, and
 * the newest that is two days older than this one.
 */
import { execFile } from 'node:child_process';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { freePort } from '../../../dev/free-port.ts';
import { scratchFolders } from '../../unit/scratch.ts';
import { quiesce, quiesceCommand, runProgram } from '../harness/commands/command.ts';
import { startQuiesce, type RunningCommand } from '../harness/commands/running-command.ts';
import { until } from '../harness/until.ts';

const plain = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));
const root = fileURLToPath(new URL('../../../..', import.meta.url));
const exec = promisify(execFile);

/** The commit before the one that added this file. */
async function before(file: string): Promise<string> {
  const added = await git('log', '--diff-filter=A', '--format=%H', '--', file);
  return git('rev-parse', `${added.split('\n').at(-1)}^`);
}

async function git(...args: string[]): Promise<string> {
  return (await exec('git', args, { cwd: root })).stdout.trim();
}

async function olderCommits(): Promise<string[]> {
  const given = process.env['QUIESCE_OLDER'];
  if (given !== undefined) return given.split(/\s+/);
  const at = Number(await git('log', '-1', '--format=%ct'));
  const old = await git('rev-list', '-1', `--before=${at - 2 * 86_400}`, 'HEAD');
  return [await before('src/keeper/main.ts'), await before('src/primary/handover/hand-over.ts'), old];
}

describe('a site of an older quiesce', function () {
  this.timeout(600_000);
  const scratch = scratchFolders();
  const running: RunningCommand[] = [];
  afterEach(() => {
    for (const { child } of running.splice(0)) child.kill('SIGKILL');
  });

  /** Its command, from the tarball that `npm pack` makes of that commit. */
  async function packed(commit: string): Promise<string> {
    const folder = scratch();
    const source = join(folder, 'source');
    await mkdir(source);
    await exec('sh', ['-c', `git archive ${commit} | tar -x -C "$0"`, source], { cwd: root });
    await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
    await exec('npm', ['run', '-s', 'build'], { cwd: source, maxBuffer: 1 << 24 });
    await exec('npm', ['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: source, maxBuffer: 1 << 24 });
    // With the dependencies that it names: those of today may not fit it.
    const install = 'npm install --no-audit --no-fund --prefer-offline --no-save ./quiesce-*.tgz';
    await exec('sh', ['-c', `echo '{"private":true}' > package.json && ${install}`], { cwd: folder });
    return join(folder, 'node_modules', 'quiesce', 'dist', 'cli', 'main.js');
  }

  it('is taken to this one, and its hold stays', async () => {
    for (const commit of await olderCommits()) {
      const old = await packed(commit);
      const cwd = scratch();
      const dataDir = join(cwd, 'data');
      const own = ['--data-dir', dataDir];
      const env = { PORT: String(await freePort()) };
      const start = ['start', plain, '-i', '2', ...own];
      const answers = async (): Promise<number | undefined> =>
        fetch(`http://127.0.0.1:${env.PORT}/`).then(
          ({ status }) => status,
          () => undefined,
        );
      const startBy = (command: string): RunningCommand => {
        const started = startQuiesce(start, { cwd, command, env });
        running.push(started);
        return started;
      };
      const site = startBy(old);
      await until(`${commit} serves`, async () => (await answers()) === 200, { within: 60_000 });
      expect(
        (await runProgram(process.execPath, [old, 'maintenance', 'on', '--reason', 'kept', ...own], { cwd })).code,
      ).to.equal(0);

      const replaced = await quiesce(['reload', '--primary', ...own], { cwd });
      console.log(`${commit.slice(0, 8)}: exit ${replaced.code}: ${(replaced.out + replaced.err).trim()}`);
      if (replaced.code !== 0) {
        expect(replaced.code, replaced.err).to.equal(6);
        expect(replaced.err).to.match(/older version of quiesce.*quiesce stop, then quiesce start/s);
        expect(await answers(), 'nothing has changed').to.equal(503);
        const stopped = await quiesce(['stop', ...own], { cwd });
        expect(stopped.code, stopped.err).to.equal(0);
        await site.ended;
        startBy(quiesceCommand);
        await until('this one holds', async () => (await answers()) === 503, { within: 60_000 });
      }
      const { out } = await quiesce(['maintenance', 'status', ...own], { cwd });
      expect(out).to.include('kept');
      expect((await quiesce(['maintenance', 'off', ...own], { cwd })).code).to.equal(0);
      await until('it serves', async () => (await answers()) === 200);
      expect((await quiesce(['reload', '--primary', ...own], { cwd })).code, 'from now on').to.equal(0);
      expect((await quiesce(['stop', ...own], { cwd })).code).to.equal(0);
    }
  });
});
