/** Makes this primary a host of its cluster, where the configuration names one. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import * as z from '../../vendor/zod.ts';
import { SiteStore } from '../../cluster/store.ts';
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import { version } from '../../version.ts';
import { writeDurably } from '../data-dir/durable.ts';
import { describeProcess, lifeOf } from '../data-dir/lock-owner.ts';
import { processRecord } from '../../protocol/lock-owner.ts';
import type { SyncRuns } from '../runs/feeds/feed-runs.ts';
import type { RunStore } from '../runs/history/history.ts';
import type { Coordinator } from '../maintenance/coordinator.ts';
import type { Rules } from '../maintenance/machine/state.ts';
import type { MirrorThread } from '../../mirror/handle.ts';
import { ClusterHistory } from './cluster-history.ts';
import { ClusterOperations } from './cluster-operations.ts';
import { GridFeeds } from './grid-feeds.ts';
import { takeFeed } from './take-feed.ts';
import { SiteAgreement, type SiteAgreementOptions } from './site-agreement.ts';

export interface JoinDeps {
  readonly runs: RunStore;
  readonly sync: SyncRuns;
  readonly log: Logger;
  /** The last epoch that anybody may have used. */
  readonly epoch: number;
  readonly onEviction: SiteAgreementOptions['onEviction'];
}

const stored = z.object({
  id: z.string(),
  cluster: z.string(),
  /** The last primary: the beginning of each of its incarnations, and its process. */
  primary: z.string(),
  process: processRecord,
});

/** Beyond lease and grace, before others count a host out, ms: what the clocks of two members of a replica set may differ by. */
const margin = 1_000;

export interface JoinedCluster {
  readonly agreement: SiteAgreement;
  readonly history: ClusterHistory;
  /** What operators can do at this host for all of them. */
  readonly operations: (coordinator: Coordinator, rules: Rules) => ClusterOperations;
}

/**
 * To be called when no worker of a former primary is left here.
 * @throws QuiesceError `bad-config`, `database-unreachable`, `data-dir-unusable`
 */
export async function joinCluster(config: AppConfig, name: string, deps: JoinDeps): Promise<JoinedCluster> {
  const { mongodb, dataDir, cluster } = config;
  if (mongodb.uri === null)
    throw new QuiesceError('bad-config', 'quiesce.cluster.name needs MongoDB, by which hosts agree: set MONGODB_URI.');
  const primary = randomUUID();
  const { id, replaces } = await identify(join(dataDir, 'host.json'), name, primary);
  const rules = {
    lease: cluster.lease,
    renewal: cluster.lease / 3,
    evictionGrace: cluster.evictionGrace,
    margin,
    onPartition: cluster.onPartition,
  };
  const store = new SiteStore({ uri: mongodb.uri, db: mongodb.db, name, rules, epoch: deps.epoch });
  try {
    await store.check();
    // One of a newer version is refused before anything starts.
    await store.read();
  } catch (cause) {
    await store.close();
    if (cause instanceof QuiesceError) throw cause;
    throw new QuiesceError(
      'database-unreachable',
      `The cluster ${name} cannot be joined: ${(cause as Error).message}`,
      { cause },
    );
  }
  const { runs, sync, log, onEviction } = deps;
  const hasEnded = (run: string): boolean => isEnded(runs.get(run)?.state ?? 'uploading');
  const thread = (): MirrorThread => sync.mirror();
  const feeds = new GridFeeds({ config, cluster: name, thread, record: (run) => runs.get(run), log });
  sync.kept.shareBy(feeds);
  const agreement = new SiteAgreement({
    store,
    rules,
    host: id,
    primary,
    replaces,
    name: os.hostname(),
    version,
    onEviction,
    log,
    past: (run) => (hasEnded(run) ? 'ended' : sync.keeps(run) ? 'left' : null),
    isShared: feeds.has,
    outcome: (run, hasFailed) => sync.outcome(run, hasFailed),
    mirrored: ({ host: _host, ...feed }) => sync.mirrored.put({ ...feed, keys: null }),
    fetch: (run) => takeFeed(run, { feeds, runs, sync, log }),
    forget: (run) => {
      if (hasEnded(run)) return;
      const what =
        'This host was taken out of the cluster, or stopped, before the run started to write, or the run was ended elsewhere.';
      const died = { state: 'failed', error: new QuiesceError('owner-died', what).toProblem() } as const;
      void history
        .endElsewhere(run)
        .then((elsewhere) => runs.end(run, elsewhere ?? died))
        .then(() => sync.discard(run));
    },
  });
  const history = new ClusterHistory({
    runLog: store.runLog(runs.kept),
    runs,
    ref: () => agreement.host.member.ref,
    site: () => agreement.host.member.site,
    log,
  });
  agreement.changes.onChange(() => {
    const { site } = agreement.host.member;
    if (site !== null) feeds.look(site.run?.id ?? null);
    history.look();
  });
  history.start();
  return {
    agreement,
    history,
    operations: (coordinator, rules) => new ClusterOperations(agreement, coordinator, rules),
  };
}

/** The id outlives the primary. Its predecessor is replaced at once only where it is seen dead in the same place. */
async function identify(
  file: string,
  cluster: string,
  primary: string,
): Promise<{ id: string; replaces: string | null }> {
  const former = await read(file);
  const own = { id: former?.id ?? randomUUID(), cluster, primary, process: describeProcess(process.pid) };
  await writeDurably(file, `${JSON.stringify(own)}\n`);
  const isDead = former !== null && former.process.startTime !== null && lifeOf(former.process) === 'dead';
  return { id: own.id, replaces: isDead && former.cluster === cluster ? former.primary : null };
}

async function read(file: string): Promise<z.infer<typeof stored> | null> {
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
