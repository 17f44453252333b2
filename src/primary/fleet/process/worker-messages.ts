/** Classifies a worker's raw message for the supervisor. Pure: the caller acts on it, and logs what is dropped. */
import { fromWorker, type FromWorker } from '../../../protocol/workers/messages.ts';
import type { WorkerRef } from '../../ports.ts';
import { keyOf } from '../../worker-ref.ts';

export type Received =
  | { readonly kind: 'ours'; readonly message: FromWorker }
  /** PM2's message from an app that reports its own readiness: `process.send('ready')`. */
  | { readonly kind: 'app-ready' }
  /** The app's own message to a primary of its own. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'dropped'; readonly why: string };

/** @param ref the process that sent the message; a message with another reference is dropped */
export function readMessage(raw: unknown, ref: WorkerRef): Received {
  if (raw === 'ready') return { kind: 'app-ready' };
  if (typeof raw !== 'object' || raw === null || !('quiesce' in raw)) return { kind: 'foreign' };
  const parsed = fromWorker.safeParse(raw);
  if (!parsed.success) return { kind: 'dropped', why: `it is malformed: ${parsed.error.message}` };
  const message = parsed.data;
  if (message.slot !== ref.slot || message.incarnation !== ref.incarnation) {
    return { kind: 'dropped', why: `it names another worker as its sender: ${keyOf(message)}` };
  }
  return { kind: 'ours', message };
}
