/**
 * Shows a progress bar on a terminal while a feed is sent: first the upload, then the run's progress as the app reports
 * it. The bar is an extra: if the app reports nothing, it does not move.
 */
import cliProgress from 'cli-progress';
import { size } from '../output.ts';
import { presentRun } from './present-run.ts';
import type { RunRecord } from '../../protocol/api/runs.ts';

/** How often the app is asked, ms. */
const interval = 300;

export class SyncProgress {
  readonly #bar: cliProgress.SingleBar;
  readonly #bytes: number | undefined;
  readonly #url: URL;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** @param bytes the size of the feed, if it is known; @param url the mirror's route, which also lists its runs */
  constructor(bytes: number | undefined, url: URL, stream: NodeJS.WriteStream) {
    this.#bytes = bytes;
    this.#url = url;
    this.#bar = newBar(stream);
    this.#bar.start(bytes ?? 1, 0, { step: 'upload ', far: size(0) });
  }

  /** Reports the number of bytes sent. With the last byte, the run starts. */
  sent(bytes: number): void {
    this.#bar.update(this.#bytes === undefined ? 0 : bytes, { far: size(bytes) });
    if (bytes === this.#bytes) this.sentAll();
  }

  sentAll(): void {
    if (!this.#ended) this.#timer ??= setTimeout(() => void this.#ask(), interval);
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#bar.stop();
  }

  async #ask(): Promise<void> {
    try {
      const run = await presentRun(this.#url);
      if (run !== undefined && !this.#ended) this.#show(run);
    } catch {
      // If the error matters, the answer to the feed reports it.
    }
    if (!this.#ended) this.#timer = setTimeout(() => void this.#ask(), interval);
  }

  #show({ state, progress }: RunRecord): void {
    const { step = state, done = 0, total } = progress ?? {};
    const far = total === undefined ? String(done) : `${done} of ${total}`;
    this.#bar.setTotal(total ?? Math.max(1, done));
    this.#bar.update(total === undefined ? 0 : done, { step: step.padEnd(7), far });
  }
}

/** Shows a progress bar while a feed is fetched, from the first bytes on. */
export class FetchProgress {
  readonly #stream: NodeJS.WriteStream;
  #bar: cliProgress.SingleBar | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  got(bytes: number, total: number | undefined): void {
    if (this.#bar === undefined) {
      this.#bar = newBar(this.#stream);
      this.#bar.start(total ?? 1, 0, { step: 'fetch  ', far: size(0) });
    }
    this.#bar.update(total === undefined ? 0 : bytes, { far: size(bytes) });
  }

  end(): void {
    this.#bar?.stop();
  }
}

function newBar(stream: NodeJS.WriteStream): cliProgress.SingleBar {
  return new cliProgress.SingleBar({
    format: '{step} [{bar}] {far} {duration_formatted}',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    stream,
  });
}
