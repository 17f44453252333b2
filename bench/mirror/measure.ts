/** One subject in a process of its own: its memory and the delay of its main loop are its own. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { MongoClient } from 'mongodb';
import { revert, type Change, type Item } from './data.ts';
import { close, subjects, type SubjectName } from './subjects.ts';

export interface Order {
  readonly subject: SubjectName;
  readonly uri: string;
  readonly db: string;
  readonly into: string;
  readonly change: Change;
  readonly feed: string;
  readonly folder: string;
  readonly round: number;
}

/** ms and bytes. */
export interface Measured {
  readonly pause: number;
  readonly total: number;
  readonly peakMemory: number;
  readonly loopDelay: number;
}

process.on('message', (order: Order) => {
  void measure(order).then(
    (measured) => process.send!(measured, () => process.disconnect()),
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
      process.disconnect();
    },
  );
});

async function measure({ subject, uri, db, into, change, feed, folder, round }: Order): Promise<Measured> {
  const client = new MongoClient(uri);
  const collection = client.db(db).collection<Item>(into);
  await collection.findOne(); // connected
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const taken = await subjects[subject]({ client, uri, db, collection, change, feed, folder, round });
  delay.disable();
  const peakMemory = process.resourceUsage().maxRSS * 1024;
  await revert(collection, change);
  await close();
  await client.close();
  return { ...taken, peakMemory, loopDelay: Math.max(0, delay.percentile(99) / 1e6 - 10) };
}
