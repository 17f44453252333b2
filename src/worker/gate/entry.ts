/** What is known of an admitted request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TrackedSocket } from '../process/connections.ts';
import type { Label } from './departed.ts';

// Registered: the app may carry a copy of the package of its own.
const kEntry = Symbol.for('quiesce.entry');

export interface Entry {
  /** These are let go of when the client has gone: whether the app does so, too, tells whether it is done. */
  req: IncomingMessage | null;
  res: ServerResponse | null;
  socket: TrackedSocket | null;
  /** What it was, where that is still of interest when it is gone. */
  label: Label | null;
  /** `performance.now()`, ms. */
  readonly since: number;
  /** Whether it counts towards the requests in flight that a drain waits for. */
  counts: boolean;
  gone: boolean;
  /** Gone before its handler was done, which it is when `ended`. */
  departed: boolean;
  /** Left the drain when its handler had ended the response, which a client that does not read keeps from going out. */
  left: boolean;
  ended: boolean;
  settled: boolean;
  /** Promises that keep it from settling. */
  waits: number;
  onSettled: (() => void) | null;
  /** Its neighbours among those that count, by age. */
  older: Entry | null;
  newer: Entry | null;
}

type Tracked = IncomingMessage & { [kEntry]?: Entry };

/** The entry of a request that has been admitted. */
export function entryOf(req: IncomingMessage): Entry | undefined {
  return (req as Tracked)[kEntry];
}

/** For a request that is admitted now. */
export function newEntry(req: IncomingMessage, res: ServerResponse, socket: TrackedSocket): Entry {
  const entry: Entry = {
    req,
    res,
    socket,
    label: null,
    since: performance.now(),
    counts: false,
    gone: false,
    departed: false,
    left: false,
    ended: false,
    settled: false,
    waits: 0,
    onSettled: null,
    older: null,
    newer: null,
  };
  (req as Tracked)[kEntry] = entry;
  return entry;
}
