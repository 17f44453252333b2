/** The gate of a worker in the model: what it does when a message comes, and when the app has done its part. */
import type { Claim, Faults, ToWorker, Worker } from './model-parts.ts';
import { keyOf } from '#quiesce/primary/worker-ref.js';

export function receive(worker: Worker, message: ToWorker, claims: ReadonlyMap<string, Claim>, faults: Faults): void {
  switch (message.type) {
    case 'pause':
      return pauseGate(worker, message.epoch);
    case 'resume':
      return resumeGate(worker, message.epoch, message.mirrored, faults);
    case 'cut':
      // Connections are cut; here half of the handlers notice.
      if (message.epoch === worker.epoch && worker.gate === 'shut') worker.inFlight = Math.floor(worker.inFlight / 2);
      return;
    case 'granted': {
      const claim = claims.get(message.run)!;
      if (claim.granted) return;
      claim.granted = true;
      if (claim.kind === 'exclusive') worker.exclusive = message.run;
      return;
    }
    default:
      return message satisfies never;
  }
}

function pauseGate(worker: Worker, epoch: number): void {
  if (epoch < worker.epoch) return;
  // Every other worker has something of the app's to stop, which takes its time.
  if (worker.gate === 'open' && worker.ref.slot % 2 === 1) worker.stopping = true;
  worker.gate = 'shut';
  worker.epoch = epoch;
}

/** It opens at once where nothing new is told, else when those who listen are done. */
function resumeGate(worker: Worker, epoch: number, mirrored: readonly string[], faults: Faults): void {
  if (epoch < worker.epoch && !faults.believesOldResume) return;
  const isNew = mirrored.some((run) => !worker.told.has(run));
  for (const run of mirrored) worker.told.add(run);
  if (!isNew && worker.opening === null) return open(worker, epoch);
  worker.opening = Math.max(epoch, worker.opening ?? 0);
  if (faults.opensBeforeListeners) open(worker, epoch);
}

/** Those who listen are done. */
export function listened(worker: Worker, faults: Faults): void {
  const epoch = worker.opening;
  for (const run of worker.told) worker.unheard.delete(run);
  worker.opening = null;
  if (epoch === null || worker.gate === 'open' || (epoch < worker.epoch && !faults.opensLate)) return;
  open(worker, epoch);
}

export function isDrained(worker: Worker, faults: Faults): boolean {
  return worker.gate === 'shut' && worker.inFlight === 0 && (!worker.stopping || faults.stopsNothing === true);
}

function open(worker: Worker, epoch: number): void {
  worker.gate = 'open';
  worker.epoch = epoch;
  worker.stopping = false; // what still stops is asked anew in the next pause
  if (worker.unheard.size > 0)
    throw new Error(`M1: worker ${keyOf(worker.ref)} opened, and has not heard of ${[...worker.unheard].join(', ')}`);
}
