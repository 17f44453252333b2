/** Whether a primary that boots beside the owner could go on as the same member of the same cluster. */
import { SiteStore } from '../../cluster/store.ts';
import type { AppConfig } from '../../config.ts';
import { QuiesceError } from '../../errors.ts';
import { readOwner } from '../data-dir/lock-owner.ts';
import { readHost, type StoredHost } from './identity.ts';
import { rulesOf } from './join.ts';

const stop = 'Or: quiesce stop, then quiesce start.';

/** @throws QuiesceError `not-replaceable`, `bad-config`, `database-unreachable` */
export async function mustBeSameMember(config: AppConfig): Promise<void> {
  const { dataDir, cluster, mongodb } = config;
  const last = await readHost(dataDir);
  const owner = last !== null && last.process.pid === readOwner(dataDir)?.pid ? last : null;
  if ((owner?.cluster ?? null) !== cluster.name) {
    const what = `The site belongs to ${shown(owner?.cluster ?? null)}, and the configuration names ${shown(cluster.name)} by now (quiesce.cluster.name).`;
    const why = 'A host joins and leaves a cluster only by a stop.';
    throw new QuiesceError('not-replaceable', `${what} ${why} Take the name back. ${stop}`);
  }
  if (owner === null) return;
  const { uri, db } = mongodb;
  if (uri === null) throw new QuiesceError('bad-config', 'quiesce.cluster.name needs MongoDB: set MONGODB_URI.');
  const store = new SiteStore({ uri, db, name: owner.cluster, rules: rulesOf(cluster), epoch: 0 });
  try {
    await mustKnow(store, owner);
  } finally {
    await store.close();
  }
}

async function mustKnow(store: SiteStore, { id, cluster, primary }: StoredHost): Promise<void> {
  const found = await store
    .check()
    .then(() => store.peek())
    .catch((cause: Error) => {
      if (cause instanceof QuiesceError) throw cause;
      const what = `The cluster ${cluster} cannot be read: ${cause.message}`;
      throw new QuiesceError('database-unreachable', what, { cause });
    });
  if (found?.site.hosts[id]?.incarnation.startsWith(`${primary}.`) === true) return;
  const what = `The cluster ${cluster} does not have this host in the MongoDB and the database of the configuration.`;
  const why =
    'Either they were changed (mongodb.uri, mongodb.db): take them back. Or this host is just out of the cluster: try again when quiesce hosts shows it.';
  throw new QuiesceError('not-replaceable', `${what} ${why} ${stop}`);
}

function shown(cluster: string | null): string {
  return cluster === null ? 'no cluster' : `the cluster ${cluster}`;
}
