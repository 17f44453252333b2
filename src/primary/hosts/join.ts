/** Makes this primary a host of its cluster, where the configuration names one. */
import os from 'node:os';
import type { Logger } from 'pino';
import type { HostOptions } from '../../cluster/host-options.ts';
import { SiteStore } from '../../cluster/store.ts';
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import { isEnded } from '../../protocol/api/is-ended.ts';
import { version } from '../../version.ts';
import type { Formers } from '../handover/formers.ts';
import type { Writer } from '../handover/give-up.ts';
import type { SyncRuns } from '../runs/feeds/feed-runs.ts';
import type { RunStore } from '../runs/history/history.ts';
import type { Coordinator } from '../maintenance/coordinator.ts';
import type { Rules } from '../maintenance/machine/state.ts';
import type { MirrorThread } from '../../mirror/handle.ts';
import { ClusterHistory } from './cluster-history.ts';
import { ClusterOperations } from './cluster-operations.ts';
import { GridFeeds } from './grid-feeds.ts';
import { identify, keepMembership, type Predecessors } from './identity.ts';
import { takeFeed } from './take-feed.ts';
import { SiteAgreement, type SiteAgreementOptions } from './site-agreement.ts';

export interface JoinDeps extends Predecessors {
  readonly runs: RunStore;
  readonly sync: SyncRuns;
  readonly log: Logger;
  /** The last epoch that anybody may have used. */
  readonly epoch: number;
  readonly onEviction: SiteAgreementOptions['onEviction'];
}

/** Beyond lease and grace, before others count a host out, ms: what the clocks of two members of a replica set may differ by. */
const margin = 1_000;

/** How long a stop waits for the workers of a former primary, ms. Later only the lease tells the others that they have ended. */
const longest = 60_000;

export interface JoinedCluster {
  readonly agreement: SiteAgreement;
  readonly history: ClusterHistory;
  /** Gives the membership to the next primary. */
  readonly handOver: Writer;
  /**
   * Leaves the cluster once no worker of this host is left, not even one of a former primary.
   *
   * @param formers those of them
   * @param hasFailed nothing is waited for: the next primary is to start
   */
  readonly leave: (formers: Pick<Formers, 'ended'>, hasFailed: boolean) => Promise<void>;
  /** What operators can do at this host for all of them. */
  readonly operations: (coordinator: Coordinator, rules: Rules) => ClusterOperations;
}

/**
 * To be called when no worker of a former primary is left here, but for those that `former` still has.
 * @throws QuiesceError `bad-config`, `database-unreachable`, `data-dir-unusable`
 */
export async function joinCluster(config: AppConfig, name: string, deps: JoinDeps): Promise<JoinedCluster> {
  const { mongodb, cluster } = config;
  if (mongodb.uri === null)
    throw new QuiesceError('bad-config', 'quiesce.cluster.name needs MongoDB, by which hosts agree: set MONGODB_URI.');
  const identity = await identify(config.dataDir, name, deps);
  const { own, replaces, membership } = identity;
  if (membership !== null)
    deps.log.info(
      { incarnation: membership.incarnation },
      `this primary goes on as the same member of the cluster ${name}`,
    );
  const rules = rulesOf(cluster);
  const store = new SiteStore({ uri: mongodb.uri, db: mongodb.db, name, rules, epoch: deps.epoch });
  // Of one that takes over, both was checked beside the former primary, which has been given up by now.
  if (membership === null) await mustJoin(store, name);
  const { runs, sync, log, onEviction } = deps;
  const hasEnded = (run: string): boolean => isEnded(runs.get(run)?.state ?? 'uploading');
  const thread = (): MirrorThread => sync.mirror();
  const feeds = new GridFeeds({ config, cluster: name, thread, record: (run) => runs.get(run), log });
  sync.kept.shareBy(feeds);
  const agreement = new SiteAgreement({
    store,
    rules,
    host: own.id,
    primary: own.primary,
    replaces,
    membership,
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
    handOver: {
      suspend: async () => keepMembership(identity, await agreement.retire()),
      resume: () => agreement.host.goOn(),
    },
    leave: async (formers, hasFailed) => {
      await history.stop();
      await agreement.host.leave(await formers.ended(hasFailed ? 0 : longest));
    },
    operations: (coordinator, rules) => new ClusterOperations(agreement, coordinator, rules),
  };
}

export function rulesOf({ lease, evictionGrace, onPartition }: AppConfig['cluster']): HostOptions['rules'] {
  return { lease, renewal: lease / 3, evictionGrace, margin, onPartition };
}

/** One of a newer version is refused before anything starts. */
async function mustJoin(store: SiteStore, name: string): Promise<void> {
  try {
    await store.check();
    await store.read();
  } catch (cause) {
    await store.close();
    if (cause instanceof QuiesceError) throw cause;
    const what = `The cluster ${name} cannot be joined: ${(cause as Error).message}`;
    throw new QuiesceError('database-unreachable', what, { cause });
  }
}
