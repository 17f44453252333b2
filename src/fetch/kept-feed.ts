/**
 * Fetches a feed completely into a temporary file before it is sent to the app. So a slow or broken server does not
 * keep the feeds of other senders waiting. The file's name is removed before the first byte is written: no other
 * process can open it, and nothing is left on the disk, however the command ends.
 */
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { QuiesceError } from '../errors.ts';
import { sourceOf, type FeedKind, type FeedSource } from './feed-kind.ts';
import { fetchChanged, type FetchOptions } from './fetch-feed.ts';

/** @param address may contain a user name and a password; they are sent and never shown */
export async function fetchFeed(address: string, options: FetchOptions): Promise<FeedSource> {
  const found = await fetchChanged(address, { ...options, known: null }, keepInFile);
  if (found === 'unchanged') throw new QuiesceError('internal', 'A feed that nobody knows cannot be unchanged.');
  return found.kept;
}

async function keepInFile(stream: Readable, kind: FeedKind): Promise<FeedSource> {
  const where = os.tmpdir();
  const file = await unnamedFile(where);
  try {
    let bytes = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      await file.writeFile(chunk).catch((cause: Error) => {
        throw noRoom(`The feed cannot be kept in ${where}: ${cause.message}. Free some space there.`, cause);
      });
    }
    return sourceOf(file.createReadStream({ start: 0 }), kind, bytes);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function unnamedFile(where: string): Promise<FileHandle> {
  let folder: string | undefined;
  try {
    folder = await mkdtemp(path.join(where, 'quiesce-feed-'));
    return await open(path.join(folder, 'feed'), 'wx+', 0o600);
  } catch (cause) {
    throw noRoom(`There is no place for the feed in ${where}: ${(cause as Error).message}.`, cause);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

function noRoom(what: string, cause: unknown): QuiesceError {
  return new QuiesceError('insufficient-storage', what, { cause });
}
