import { World, type Process, type Step } from './fleet-world.js';

/** A world whose workers all serve. */
export function serving(instances: number, step?: Step): World {
  const world = new World(instances, step);
  world.start();
  for (const process of world.processes) world.ready(process);
  world.settled.length = 0;
  return world;
}

export function process(world: World, slot: number, incarnation: number): Process {
  const found = world.processes.find((each) => each.slot === slot && each.incarnation === incarnation);
  if (!found) throw new Error(`${slot}.${incarnation} is not there: ${names(world).join()}`);
  return found;
}

export function names(world: World): string[] {
  return world.processes.map((each) => `${each.slot}.${each.incarnation}`);
}
