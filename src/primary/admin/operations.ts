/** What an operator can see and do: `Operations` over the coordinator, the supervisor and the history of runs. */
import { QuiesceError } from '../../errors.ts';
import type { ClusterStatus, RunRecord, WorkerState, WorkerStatus } from '../../protocol/runs.ts';
import type { Coordinator } from '../maintenance/coordinator.ts';
import { keyOf } from '../maintenance/state.ts';
import type { Operations } from '../ports.ts';
import type { RunStore } from '../runs/history.ts';
import type { Supervisor } from '../fleet/supervisor.ts';

export interface OperationsDeps {
  readonly name: string;
  readonly coordinator: Coordinator;
  readonly supervisor: Supervisor;
  readonly runs: RunStore;
  readonly stop: (now: boolean) => void;
}

/** A status at most every so often, ms. */
const watchInterval = 100;

export function operations({ name, coordinator, supervisor, runs, stop }: OperationsDeps): Operations {
  const status = (): ClusterStatus => {
    const { state } = coordinator;
    return {
      name,
      pid: process.pid,
      phase: state.phase,
      epoch: state.epoch,
      holds: coordinator.holds(),
      workers: supervisor.status().map((worker) => withGate(worker, coordinator)),
      run: (state.run === null ? runs.last : runs.get(state.run.id)) ?? null,
      waitingFor: coordinator.beats.waitingFor(state),
    };
  };
  return {
    status,
    watch: (listener) => watch(status, coordinator, listener),
    urls: () => supervisor.urls(),
    async maintenance({ on, reason, forMs }) {
      if (on) await coordinator.hold(reason ?? null, forMs ?? null);
      else await coordinator.unhold();
      return status();
    },
    reload: () => supervisor.reload(),
    scale: (instances) => supervisor.scale(instances),
    stop: ({ now }) => stop(now),
    runs: (limit) => runs.list(limit),
    run: (id) => runs.get(id),
    async abandon(id): Promise<RunRecord> {
      const run = runs.get(id);
      if (run === undefined) throw new QuiesceError('not-found', `There is no run ${id}.`);
      if (await coordinator.abandon(id)) return runs.get(id) ?? run;
      throw new QuiesceError(
        'bad-request',
        `Run ${id} is ${run.state}: only a run that is being rolled forward can be abandoned.`,
      );
    },
  };
}

/** The supervisor knows processes, the coordinator knows gates. */
function withGate(worker: WorkerStatus, coordinator: Coordinator): WorkerStatus {
  const view = coordinator.state.workers.get(keyOf(worker));
  const beat = coordinator.beats.of(worker);
  let state: WorkerState = worker.state;
  if (state === 'serving' && view !== undefined && view.gate !== 'open')
    state = view.gate === 'draining' ? 'draining' : 'quiesced';
  return {
    ...worker,
    state,
    inFlight: beat?.inFlight ?? 0,
    eventLoopDelay: beat?.eventLoopDelay ?? worker.eventLoopDelay,
  };
}

function watch(
  status: () => ClusterStatus,
  coordinator: Coordinator,
  listener: (status: ClusterStatus) => void,
): () => void {
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  const tell = (): void => {
    timer = undefined;
    last = performance.now();
    listener(status());
  };
  const forget = coordinator.onChange(() => {
    timer ??= setTimeout(tell, Math.max(0, watchInterval - (performance.now() - last)));
  });
  return () => {
    forget();
    clearTimeout(timer);
  };
}
