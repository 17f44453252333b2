/** Which host of a cluster this is, in the data directory: its id outlives the primary. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as z from '../../vendor/zod.ts';
import type { Membership } from '../../cluster/membership.ts';
import { siteSchema } from '../../cluster/schema.ts';
import { QuiesceError } from '../../errors.ts';
import type { Former } from '../../protocol/keeper/messages.ts';
import { processRecord } from '../../protocol/lock-owner.ts';
import { writeDurably } from '../data-dir/durable.ts';
import { describeProcess, hostFile, lifeOf } from '../data-dir/lock-owner.ts';

const membership = z.object({
  incarnation: z.string(),
  deadline: z.number(),
  sleepOffset: z.number(),
  site: siteSchema,
  heard: z.array(z.string()),
});

const stored = z.object({
  id: z.string(),
  cluster: z.string(),
  /** The beginning of each incarnation of the last primary, and its process. */
  primary: z.string(),
  process: processRecord,
  /** What that one has handed over; of use only to a successor that takes over from this very process. */
  membership: z.unknown().optional(),
});
export type StoredHost = z.infer<typeof stored>;

/** What a primary hands over to its successor, which goes on as the same member of the cluster. */
export interface HandedMembership extends Membership {
  /** What `sleepOffset()` gave when the deadline was counted, ms. */
  readonly sleepOffset: number;
  /** The ended feeds that the successor's workers need not hear of: they have booted since. */
  readonly heard: readonly string[];
}

export interface Identity {
  readonly file: string;
  readonly own: StoredHost;
  /** See {@link HostOptions.replaces}. */
  readonly replaces: string | null;
  readonly membership: HandedMembership | null;
}

export interface Predecessors {
  /** Primaries of this host that still finish what is in flight; this one joins only when they are gone. */
  readonly former: readonly Former[];
  /** This primary takes over from one that serves. */
  readonly beside: boolean;
}

/** The former primary is replaced at once only where it is seen dead in the same place, or is waited for. */
export async function identify(dataDir: string, cluster: string, { former, beside }: Predecessors): Promise<Identity> {
  const file = hostFile(dataDir);
  const last = await readHost(dataDir);
  const before = last?.cluster === cluster ? last : null;
  const isAwaited = before !== null && former.some(({ pid }) => pid === before.process.pid);
  const isDead = before !== null && before.process.startTime !== null && lifeOf(before.process) === 'dead';
  // Only one that has yielded is among the former primaries: what it has stored is the last that it knew.
  const handed = beside && isAwaited ? membershipFrom(before.membership) : null;
  const own = {
    id: last?.id ?? randomUUID(),
    cluster,
    primary: handed === null ? randomUUID() : before!.primary,
    process: describeProcess(process.pid),
  };
  await writeDurably(file, `${JSON.stringify(own)}\n`);
  return { file, own, replaces: isAwaited || isDead ? before.primary : null, membership: handed };
}

/** One that another version of quiesce has written may be unknown here: then the host joins anew. */
function membershipFrom(text: unknown): HandedMembership | null {
  return membership.safeParse(text).data ?? null;
}

export async function keepMembership({ file, own }: Identity, handed: HandedMembership): Promise<void> {
  await writeDurably(file, `${JSON.stringify({ ...own, membership: handed })}\n`);
}

/** @throws QuiesceError `data-dir-unusable` */
export async function readHost(dataDir: string): Promise<StoredHost | null> {
  const file = hostFile(dataDir);
  try {
    return stored.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new QuiesceError(
      'data-dir-unusable',
      `${file}, which says which host of the cluster this is, cannot be read: ${String(cause)}. Remove it to join as a new host.`,
      { cause },
    );
  }
}
