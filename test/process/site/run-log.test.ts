/** The history of all hosts, in a real MongoDB. */
import { expect } from 'chai';
import { RunLog, runsCollection } from '#quiesce/cluster/run-log.js';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { useDatabase } from '../harness/mongodb/mongo.ts';

describe('the history of all hosts', () => {
  const database = useDatabase();
  const host = { host: 'a', incarnation: '1' };
  const startedAt = new Date(0).toISOString();

  it('keeps the first end of a run, and of what comes later only the confirmation of its feed', async () => {
    const log = new RunLog(database.db.collection(runsCollection), 'web', 5);
    const put = (record: Omit<RunRecord, 'id' | 'kind' | 'startedAt'>): Promise<void> =>
      log.put({ record: { id: 'r', kind: 'sync', startedAt, ...record }, host });
    await put({ state: 'running' });
    await put({ state: 'succeeded', endedAt: startedAt });
    await put({ state: 'failed', endedAt: startedAt });
    expect(await log.find('r')).to.include({ state: 'succeeded' });
    const confirmedAt = new Date(1).toISOString();
    await put({ state: 'succeeded', endedAt: startedAt, confirmedAt });
    expect(await log.find('r')).to.include({ state: 'succeeded', confirmedAt });
    expect(await log.all()).to.have.length(1);
  });
});
