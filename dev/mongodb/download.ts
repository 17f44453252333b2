/** The official build of MongoDB, downloaded and cached by mongodb-memory-server-core, which checks its MD5. */
import { DryMongoBinary, MongoBinary } from 'mongodb-memory-server-core';
import { cacheDir } from './cache.ts';
import { runCommand } from './run-command.ts';

/** An answer of any kind within this time means that the host can be reached; a closed network refuses at once. */
const reachTimeout = 3_000;

export async function officialBuild(log: (line: string) => void): Promise<string> {
  const { version } = DryMongoBinary.getEnsuredOptions();
  const options = { version, downloadDir: cacheDir('mongodb-binaries'), checkMD5: true };
  if ((await DryMongoBinary.locateBinary(options)) === undefined) {
    await assertReachable(process.env['MONGOMS_DOWNLOAD_MIRROR'] || 'https://fastdl.mongodb.org');
    log('downloading the official MongoDB build …');
  }
  const binary = await MongoBinary.getPath(options);
  // It may lack a shared library here: find out now, while there is another way.
  await runCommand(binary, ['--version']);
  return binary;
}

/** The package tries a dead host for long and several times over; one request of ours answers that sooner. */
async function assertReachable(url: string): Promise<void> {
  const proxied = ['https_proxy', 'HTTPS_PROXY', 'MONGOMS_DOWNLOAD_URL'].some((name) => process.env[name]);
  if (proxied) return;
  try {
    await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(reachTimeout) });
  } catch (error) {
    throw new Error(`${new URL(url).host} cannot be reached`, { cause: error });
  }
}
