/**
 * A primary that boots beside the one that it is to replace: it checks all that a start checks, and its workers load the
 * app and wait before they listen. Until it has taken over it writes nothing to the data directory.
 */
import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import { MirrorThread } from '../../mirror/handle.ts';
import type { Former } from '../../protocol/keeper/messages.ts';
import { hostFile, readOwner } from '../data-dir/lock-owner.ts';
import { requireDatabase } from '../database-check.ts';
import { newCrew, type Crew } from '../fleet/crew.ts';
import type { KeeperLink } from '../kept/link.ts';
import { whyNotReplaceable } from './replaceable.ts';

export interface Successor {
  readonly crew: Crew;
  /** The current value: no run has started since it was read. */
  readonly fenceEpoch: number;
  /** Who still has requests in flight. */
  readonly former: readonly Former[];
}

export interface BesideOptions {
  readonly link: Pick<KeeperLink, 'canReplace' | 'pid' | 'send' | 'taken'>;
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

/** Resolves when this primary is the owner. @throws QuiesceError where it cannot be, and then nothing has changed */
export async function bootBeside(config: AppConfig, { link, inherited, log }: BesideOptions): Promise<Successor> {
  const why = whyNotReplaceable(link, config) ?? whyElsewhere(config.dataDir, link.pid);
  if (why !== null) throw why;
  await mustBeMember(config);
  const crew = newCrew(config, { inherited, beside: true, log });
  const thread = new MirrorThread({ onProgress: () => {}, log });
  try {
    const booted = Promise.race([crew.supervisor.start(), crew.events.failed]);
    const [fenceEpoch] = await Promise.all([requireDatabase(config, thread), booted]);
    await thread.close();
    log.info('prepared to take over from the primary that serves');
    link.send({ type: 'prepared' });
    return { crew, fenceEpoch, former: await link.taken };
  } catch (error) {
    await Promise.all([thread.close(), crew.supervisor.stop({ now: true })]);
    throw error;
  }
}

/** Loads the code for several hosts only if there is a cluster to ask for. */
async function mustBeMember(config: AppConfig): Promise<void> {
  if (config.cluster.name === null && !existsSync(hostFile(config.dataDir))) return;
  const { mustBeSameMember } = await import('../hosts/same-member.ts');
  await mustBeSameMember(config);
}

/** With another data directory it would know of no hold, no run and no lock. */
function whyElsewhere(dataDir: string, keeper: number): QuiesceError | null {
  if (readOwner(dataDir)?.keeper?.pid === keeper) return null;
  const what = `The configuration names another data directory by now (${dataDir}) than the site has, and it does not move while it serves.`;
  return new QuiesceError(
    'not-replaceable',
    `${what} Take \`name\` and \`data_dir\` back, or: quiesce stop, then quiesce start.`,
  );
}
