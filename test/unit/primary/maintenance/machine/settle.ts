import type { ClusterModel } from './cluster-model.ts';
import { checkLiveness } from './promises.ts';
import { keyOf } from '#quiesce/primary/worker-ref.js';

/** Lets everything that is under way happen, until nothing changes: then every pause has ended and every caller has an answer. */
export function settle(model: ClusterModel): void {
  const { network, timers } = model;
  for (let round = 0; round < 60; round++) {
    const before = outline(model);
    while (network.length > 0) model.deliver(0);
    model.others.settle();
    model.reap();
    model.prepared(true);
    model.written(true);
    if (model.commands.atWork !== null) model.commands.end(true);
    for (const worker of model.alive) {
      while (worker.inFlight > 0) model.finish(worker);
      model.stopped(worker);
      model.listened(worker);
      model.release(worker);
      model.beat(worker);
      if (!model.state.workers.get(keyOf(worker.ref))?.greeted)
        network.push({ to: 'primary', event: { type: 'hello', worker: worker.ref } });
    }
    while (network.length > 0) model.deliver(0);
    if (round > 2) while (timers.length > 0) model.fire(0);
    if (before === outline(model) && round > 4) break;
  }
  checkLiveness(model);
}

function outline({ state: { phase, epoch, run }, network, timers }: ClusterModel): string {
  return JSON.stringify([phase, epoch, run, network.length, timers.length]);
}
