/** Reads the history of runs: from the primary or, if no primary answers, from its files. */
import path from 'node:path';
import { ControlClient } from '../control-client.ts';
import { say } from '../output.ts';
import { QuiesceError } from '../../errors.ts';
import { noRun, storedRuns } from '../../primary/runs/history/stored-runs.ts';
import type { RunRecord } from '../../protocol/api/runs.ts';

interface History {
  /** Returns the runs, the newest first. */
  runs(limit: number): Promise<RunRecord[]>;
  run(id: string): Promise<RunRecord>;
}

export async function historyOf(dataDir: string): Promise<History> {
  const client = new ControlClient(dataDir);
  try {
    await client.urls();
    return client;
  } catch (error) {
    if (!(error instanceof QuiesceError) || error.code !== 'no-primary') throw error;
    const folder = path.join(dataDir, 'runs');
    const all = await storedRuns(folder, (file) => say(`${file} cannot be read and is left out.`)).catch(() => null);
    if (all === null) throw error;
    say(`No primary answers. This comes from its files in ${folder}.`);
    return {
      runs: async (limit) => all.slice(-limit).reverse(),
      async run(id) {
        const found = all.find((each) => each.id === id);
        if (found !== undefined) return found;
        throw noRun(id);
      },
    };
  }
}
