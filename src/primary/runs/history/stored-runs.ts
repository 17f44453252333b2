/** Reads the files of the history. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonFiles } from '../../data-dir/durable.ts';
import { QuiesceError } from '../../../errors.ts';
import { runRecord, type RunRecord } from '../../../protocol/api/runs.ts';

export function noRun(id: string): QuiesceError {
  return new QuiesceError('not-found', `There is no run ${id}.`);
}

/** The runs in the files of a history, the oldest first. */
export async function storedRuns(
  dir: string,
  onUnreadable: (file: string, error: unknown) => void,
): Promise<RunRecord[]> {
  const runs: RunRecord[] = [];
  for (const name of await jsonFiles(dir)) {
    const file = join(dir, name);
    try {
      runs.push(runRecord.parse(JSON.parse(await readFile(file, 'utf8'))));
    } catch (error) {
      onUnreadable(file, error);
    }
  }
  return runs;
}
