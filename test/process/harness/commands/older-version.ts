/** An older commit of quiesce as its users had it: packed, and installed in a folder of its own. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const app = fileURLToPath(new URL('../../fixtures/clock-app.js', import.meta.url));

export interface Installed {
  readonly commit: string;
  /** Its command `quiesce`. */
  readonly command: string;
  /** fixtures/clock-app.ts, which gets this version where it imports quiesce. */
  readonly script: string;
  remove(): Promise<void>;
}

/** The newest commit before the last one that changed these files. That what they import lies elsewhere is no change. */
export async function beforeLastChangeOf(...files: readonly string[]): Promise<string> {
  const args = ['log', '--format=commit %H', '--patch', '--ignore-matching-lines=^import ', '--', ...files];
  const { stdout } = await run('git', args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  const changed = /^commit ([0-9a-f]+)\n\ndiff /m.exec(stdout)?.[1];
  if (changed === undefined)
    throw new Error(`git knows no commit of ${files.join(', ')}: this test needs the whole history`);
  return (await run('git', ['rev-parse', '--verify', `${changed}^`], { cwd: root })).stdout.trim();
}

export async function installOf(commit: string): Promise<Installed> {
  const folder = await mkdtemp(join(await realpath(tmpdir()), 'quiesce-older-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const [source, project] = [join(folder, 'source'), join(folder, 'project')];
    await mkdir(source);
    await mkdir(project);
    const archive = join(folder, 'source.tar');
    await run('git', ['archive', '-o', archive, commit], { cwd: root });
    await run('tar', ['-xf', archive, '-C', source]);
    // What builds it is of this version.
    await symlink(join(root, 'node_modules'), join(source, 'node_modules'));
    const npm = (args: readonly string[], cwd: string) => run('npm', args, { cwd, maxBuffer: 64 * 1024 * 1024 });
    await npm(['run', '-s', 'build'], source);
    const { stdout } = await npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], source);
    const tarball = join(folder, stdout.trim().split('\n').at(-1)!);
    await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
    await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', '--silent', tarball], project);
    const script = join(project, 'app.js');
    await copyFile(app, script);
    const command = join(project, 'node_modules', 'quiesce', 'dist', 'cli', 'main.js');
    return { commit, command, script, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}
