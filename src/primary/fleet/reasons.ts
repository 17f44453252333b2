/** Why workers end, where that is known before they do: what was done to them, or what they have said themselves. */
import type { FromWorker } from '../../protocol/workers/messages.ts';
import type { WorkerRef } from '../ports.ts';
import { keyOf } from '../worker-ref.ts';

interface Why {
  readonly reason: string;
  readonly portInUse: boolean;
}

export class Reasons {
  readonly #known = new Map<string, Why>();

  /** The first one counts. */
  note({ ref, why: reason }: { readonly ref: WorkerRef; readonly why: string }): void {
    if (!this.#known.has(keyOf(ref))) this.#known.set(keyOf(ref), { reason, portInUse: false });
  }

  /** The word of the worker itself counts more. */
  said(ref: WorkerRef, { message, code }: Extract<FromWorker, { type: 'failed' }>): void {
    this.#known.set(keyOf(ref), { reason: message, portInUse: code === 'EADDRINUSE' });
  }

  /** It has ended. @param lastWords what it has written last */
  take(ref: WorkerRef, lastWords: string): { readonly reason?: string; readonly portInUse: boolean } {
    const known = this.#known.get(keyOf(ref));
    this.#known.delete(keyOf(ref));
    return known ?? { ...(lastWords === '' ? {} : { reason: lastWords }), portInUse: false };
  }
}
