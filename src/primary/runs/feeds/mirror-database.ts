/** The database of the mirrors: checks that one is configured, and warns of what it does not allow. */
import type { Logger } from 'pino';
import type { AppConfig } from '../../../config.ts';
import { QuiesceError } from '../../../errors.ts';
import type { MirrorThread } from '../../../mirror/handle.ts';
import type { CompleteMirrorOptions } from '../../../protocol/workers/mirror-job.ts';
import { foreseeableOf } from './mirror-job.ts';

export class MirrorDatabase {
  readonly #deps: { readonly config: AppConfig; readonly log: Logger };
  readonly #thread: () => Pick<MirrorThread, 'foresee'>;

  constructor(deps: { readonly config: AppConfig; readonly log: Logger }, thread: () => Pick<MirrorThread, 'foresee'>) {
    this.#deps = deps;
    this.#thread = thread;
  }

  /** @throws QuiesceError `database-unavailable` if none is configured */
  require(): void {
    if (this.#deps.config.mongodb.uri !== null) return;
    const detail = 'No database is configured. Set MONGODB_URI, or mongodb.uri in the configuration, and restart.';
    throw new QuiesceError('database-unavailable', detail);
  }

  /** Warns of what the database forbids the feeds of this mirror: otherwise the first feed at night shows it. */
  async foresee(mirror: CompleteMirrorOptions): Promise<void> {
    const { config, log } = this.#deps;
    if (config.mongodb.uri === null) return;
    const { collection } = mirror;
    try {
      for (const lack of await this.#thread().foresee(foreseeableOf(config, mirror))) log.warn({ collection }, lack);
    } catch (error) {
      log.info({ err: error, collection }, 'MongoDB could not be asked what it allows the feeds of this mirror');
    }
  }
}
