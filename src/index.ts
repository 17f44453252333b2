/**
 * quiesce: brings every worker of a cluster to rest while one exclusive job runs.
 *
 * ```ts
 * const app = express();
 * app.use(gate());                                                   // first
 * app.use('/api/sync', mirror({ collection: 'resources' }));
 * app.post('/api/reindex', exclusive(async (req, res) => { … }));    // runs alone in the whole cluster
 * listen(app);
 * ```
 */
import { provideLocalPrimary } from './worker/process/runtime.ts';

// Without a cluster, a single process is its own primary. Workers never load that part.
provideLocalPrimary((toWorker) => {
  const local = import('./primary/local.ts').then(({ startLocalPrimary }) => startLocalPrimary(toWorker));
  return (message, done) => {
    local.then(
      (send) => {
        send(message);
        done(null);
      },
      (error: Error) => done(error),
    );
  };
});

export { gate, type GateOptions } from './worker/gate/admission.ts';
export { exclusive, type ExclusiveOptions } from './worker/gate/exclusive/exclusive.ts';
export { listen } from './worker/gate/listen.ts';
export {
  isPaused,
  on,
  onPause,
  onResume,
  state,
  type MirroredEvent,
  type PauseEvent,
  type ResumeEvent,
  type SiteEvents,
  type SiteState,
} from './worker/gate/events/site-events.ts';
export { health } from './worker/app/health.ts';
export { mirror } from './worker/feed/mirror-route.ts';
export { waitUntil } from './worker/gate/in-flight/wait-until.ts';
export type { AfterMirror, BeforeMirror, MirrorOptions } from './worker/feed/mirror-options.ts';
export type { MirrorSource } from './worker/feed/source-option.ts';
