/**
 * What a terminal shows while a feed is sent: first the upload, then how far the run has come, as the app tells it. The
 * bar is an extra: where the app tells nothing it just stands still.
 */
import cliProgress from 'cli-progress';
import { size } from './output.ts';
import { presentRun } from './present-run.ts';
import type { RunRecord } from '../protocol/runs.ts';

/** How often the app is asked, ms. */
const interval = 300;

export class SyncProgress {
  readonly #bar: cliProgress.SingleBar;
  readonly #bytes: number | undefined;
  readonly #url: URL;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** @param bytes of the feed, where they are known; @param url of the mirror's route, which also lists its runs */
  constructor(bytes: number | undefined, url: URL, stream: NodeJS.WriteStream) {
    this.#bytes = bytes;
    this.#url = url;
    this.#bar = newBar(stream);
    this.#bar.start(bytes ?? 1, 0, { step: 'upload ', far: size(0) });
  }

  /** So many bytes are on their way; with the last of them the run begins. */
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
      // Told by the answer to the feed itself, where it matters.
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

/** While a feed is fetched; it appears with the first bytes. */
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
