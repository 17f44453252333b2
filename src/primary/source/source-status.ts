/** What is known of one source, for those who watch it. */
import type { Cron } from 'croner';
import type { FeedSourceSettings } from '../../config/values/source-members.ts';
import type { QuiesceError } from '../../errors.ts';
import type { SourceStatus } from '../../protocol/api/source-status.ts';

/** What a source is at. */
export class SourceProgress {
  #state: SourceStatus['state'] = 'waiting';
  /** When it is tried again, epoch ms. */
  #again = 0;
  #last: SourceStatus['last'];
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  fetching(): void {
    this.#turn('fetching');
  }

  retrying(error: QuiesceError, wait: number): void {
    this.#failed(error);
    this.#again = Date.now() + wait;
    this.#turn('retrying');
  }

  /** With the run if there was one. */
  done(run: string | null): void {
    const at = new Date().toISOString();
    this.#last = run === null ? { outcome: 'unchanged', at } : { outcome: 'mirrored', at, run };
    this.#turn('waiting');
  }

  failed(error: QuiesceError): void {
    this.#failed(error);
    this.#turn('waiting');
  }

  status(shown: string, { collection, scope }: FeedSourceSettings, cron: Pick<Cron, 'nextRun'>): SourceStatus {
    const next = this.#state === 'retrying' ? new Date(this.#again) : cron.nextRun();
    return {
      source: shown,
      ...(collection === null ? {} : { collection }),
      ...(scope === undefined || scope === null ? {} : { scope: { ...scope } }),
      state: this.#state,
      ...(next === null ? {} : { next: next.toISOString() }),
      ...(this.#last === undefined ? {} : { last: this.#last }),
    };
  }

  #failed({ code, message }: QuiesceError): void {
    this.#last = { outcome: 'failed', at: new Date().toISOString(), code, reason: message };
  }

  #turn(state: SourceStatus['state']): void {
    this.#state = state;
    this.#onChange();
  }
}
