/** The promises of the design, checked against what the workers of a model really do. */
import type { ClusterModel } from './cluster-model.ts';
import { keyOf } from '#quiesce/primary/worker-ref.js';

export function checkSafety({ alive, state, writing, unfinished, commands, callers }: ClusterModel): void {
  callers.check();
  const busy = alive.filter((worker) => worker.inFlight > 0 || worker.stopping || worker.gate === 'open');
  if (state.phase === 'quiesced' && busy.length > 0) {
    const who = busy.map((worker) => `${keyOf(worker.ref)} is ${worker.gate} with ${worker.inFlight}`);
    throw new Error(`S1: quiesced, but ${who.join(', ')}`);
  }
  const exclusive = alive.filter((worker) => worker.exclusive !== null);
  const atWork = exclusive.length + (writing === null ? 0 : 1) + (commands.atWork === null ? 0 : 1);
  if (atWork > 1) throw new Error(`S2: ${atWork} runs at once`);
  if ((exclusive.length > 0 || writing?.paused || commands.atWork !== null) && state.phase !== 'quiesced') {
    throw new Error(`S1: a run is at work while the cluster is ${state.phase}`);
  }
  const serving = alive.find((worker) => worker.gate === 'open');
  if (unfinished.size > 0 && (serving || state.phase === 'serving')) {
    throw new Error(`M2: it serves while ${[...unfinished].join(', ')} may be half done`);
  }
  const open = alive.find((worker) => worker.gate === 'open' && state.workers.get(keyOf(worker.ref))?.greeted !== true);
  if (open) throw new Error(`S3: worker ${keyOf(open.ref)} opened without the primary`);
}

/** Once nothing is under way any more. */
export function checkLiveness({ alive, state, claims, unfinished }: ClusterModel): void {
  const { run, operator, phase, waiters, stopping } = state;
  if (run !== null) throw new Error(`L1: run ${run.id} (${run.stage}) never ended`);
  // A stop leaves them to the next primary.
  if (unfinished.size > 0 && !stopping) throw new Error(`L1: ${[...unfinished].join(', ')} never ended`);
  if (waiters.size > 0 && !stopping) throw new Error('L2: callers wait for a cluster that is at rest');
  const isLeft = unfinished.size > 0 || (stopping && state.unfinished.length > 0);
  const wanted = operator === null && !isLeft ? 'serving' : 'quiesced';
  if (phase !== wanted) throw new Error(`L1: the cluster stays ${phase} and should be ${wanted}`);
  for (const worker of alive) {
    if (worker.gate !== (wanted === 'serving' ? 'open' : 'shut')) {
      throw new Error(`L1: worker ${keyOf(worker.ref)} stays ${worker.gate}`);
    }
  }
  for (const { id, answers, ends, owner } of claims.values()) {
    if (answers !== 1)
      throw new Error(
        `L2: the claim ${id} of ${owner === null ? 'a command' : keyOf(owner.ref)} got ${answers} answers`,
      );
    if (ends > 1) throw new Error(`L2: ${id} ended ${ends} times`);
  }
}
