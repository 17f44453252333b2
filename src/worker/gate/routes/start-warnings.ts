/** Warns, when an app starts to listen, of mistakes that would otherwise show only later, for example at night. */
import type { EventEmitter } from 'node:events';
import type { CompleteMirrorOptions } from '../../../protocol/workers/mirror-job.ts';
import { getRuntime, type Runtime } from '../../process/runtime.ts';
import { isBelow } from './target.ts';
import { ungatedIn } from './ungated.ts';

const mostNamed = 5;

/**
 * Warns of routes of an Express app that stand before its `gate()`, except those that the gate would let pass anyway.
 */
export function warnOfUngated(server: EventEmitter): void {
  const { rules, except } = getRuntime();
  if (rules === null) return; // the app is gated as a whole
  for (const app of server.listeners('request')) {
    const ungated = ungatedIn(app).filter(
      ({ path, expression }) =>
        !(expression !== undefined && rules.excepts(expression)) &&
        !(path !== undefined && (rules.isExcepted(path) || except.some((parent) => isBelow(path, parent)))),
    );
    if (ungated.length === 0) continue;
    const names = ungated.slice(0, mostNamed).map(({ method, name }) => `${method} ${name}`);
    const more = ungated.length - names.length;
    warn(
      `These routes stand before gate(), so no pause holds them: ${names.join(', ')}${more > 0 ? `, and ${more} more` : ''}. ` +
        'Put app.use(gate()) first. Where it is meant so, name their paths, or the same RegExp, in gate({ except: […] }).',
      'QUIESCE_UNGATED',
    );
  }
}

/** Warns early: otherwise the first sign of a missing database, or of missing rights there, may be a refused feed. */
export function warnOfDatabase(mirror: CompleteMirrorOptions): void {
  const runtime = getRuntime();
  void runtime.settings.then(({ mongodb }) => {
    if (!warnsForAll(runtime)) return;
    if (mongodb.uri === null)
      return warn(
        'There is a mirror(), and no database for it: each feed will be refused. Set MONGODB_URI, or quiesce.mongodb.uri in the configuration.',
        'QUIESCE_NO_DATABASE',
      );
    // A single process that calls mirror(), as a test does, must not get a thread and a connection from that.
    if (runtime.mode === 'worker') runtime.link.request<'foresee'>({ op: 'foresee', mirror }).catch(() => {});
  });
}

/** One worker warns for the whole cluster. In the cluster of another supervisor none does: feeds are refused there anyway. */
export function warnsForAll({ mode, link }: Runtime): boolean {
  return mode !== 'foreign' && link.identity.slot === 0;
}

export function warn(message: string, code: string): void {
  process.emitWarning(message, { type: 'QuiesceWarning', code });
}
