/** Handles Ctrl-C while a feed is sent, and reports what happens to the feed. */
import { say } from '../output.ts';
import { presentRun } from './present-run.ts';

/** 128 + SIGINT, as in a shell. */
const interrupted = 130;

export class Interruption {
  readonly #url: URL;
  readonly #dry: boolean;
  #sent = false;
  readonly #onSignal = (): void => void this.#tell().finally(() => process.exit(interrupted));

  /** @param url the mirror's route, which also lists its runs */
  constructor(url: URL, dry: boolean) {
    this.#url = url;
    this.#dry = dry;
    // A second Ctrl-C ends the command at once.
    process.once('SIGINT', this.#onSignal);
  }

  /** Call it when the app has the complete feed. */
  sentAll(): void {
    this.#sent = true;
  }

  over(): void {
    process.off('SIGINT', this.#onSignal);
  }

  async #tell(): Promise<void> {
    if (this.#dry) return say('interrupted: a dry run writes nothing.');
    if (!this.#sent) return say('interrupted: the feed was not complete, so nothing is changed.');
    const run = await presentRun(this.#url).catch(() => undefined);
    say(
      run === undefined
        ? 'interrupted: the app has the whole feed, and a run that has started continues. `quiesce runs` shows how it ended.'
        : `interrupted: run ${run.id} goes on. Follow it with \`quiesce runs ${run.id}\`, end it with \`quiesce runs cancel ${run.id}\`.`,
    );
  }
}
