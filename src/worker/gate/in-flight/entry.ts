/** The record that the gate keeps of an admitted request. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TrackedSocket } from '../../process/connections.ts';
import type { Label } from './departed.ts';

// A registered symbol: the app may contain its own copy of the package.
const kEntry = Symbol.for('quiesce.entry');

export interface Entry {
  /** Set to null when the client has gone: the garbage collector then shows whether the app is done with them. */
  req: IncomingMessage | null;
  res: ServerResponse | null;
  socket: TrackedSocket | null;
  /** Describes the request after `req` is null, if that is still needed. */
  label: Label | null;
  /** `performance.now()`, ms. */
  readonly since: number;
  /** Whether it counts towards the requests in flight that a drain waits for. */
  counts: boolean;
  gone: boolean;
  /** The client has gone before the handler was done; the handler is done when `ended` is set. */
  departed: boolean;
  /** Left the drain: its handler has ended the response, and only its client, which does not read, holds that up. */
  left: boolean;
  ended: boolean;
  settled: boolean;
  /** Promises that keep it from settling. */
  waits: number;
  onSettled: (() => void) | null;
  /** Its neighbours in the list of counted requests, by age. */
  older: Entry | null;
  newer: Entry | null;
}

type Tracked = IncomingMessage & { [kEntry]?: Entry };

/** The entry of a request that has been admitted. */
export function entryOf(req: IncomingMessage): Entry | undefined {
  return (req as Tracked)[kEntry];
}

/** Makes the entry of a request that is admitted now. */
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
