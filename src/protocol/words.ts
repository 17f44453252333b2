/**
 * The lists of allowed words, each once: schemas, workers and the dashboard's page, which load no zod, share them.
 */

/** The kinds of exclusive runs, and their names in the dashboard. */
export const runKinds = { sync: 'mirror run', exclusive: 'exclusive run', exec: 'command' } as const;
export type RunKind = keyof typeof runKinds;

/** What a request to a worker can ask for. */
export const requestedKinds = ['sync', 'exclusive'] as const satisfies readonly RunKind[];
export type RequestedKind = (typeof requestedKinds)[number];

/** Reasons to keep the gates shut: a run, an operator, or the cluster (it holds all hosts, or lacks this one). */
export const holdKinds = { ...runKinds, operator: 'operator', cluster: 'cluster of hosts' } as const;
export type HoldKind = keyof typeof holdKinds;

/** A pause with several holds is named after the first of these: an operator's hold outweighs a run within it. */
const byWeight: readonly HoldKind[] = ['operator', 'cluster', ...namesOf(runKinds)];

export function weightiest(kinds: readonly HoldKind[]): HoldKind | undefined {
  return byWeight.find((kind) => kinds.includes(kind));
}

/** `starting`: it has not heard from the primary yet. `lost`: the primary is gone, and it stays shut. */
export const gateStates = ['starting', 'open', 'shut', 'lost'] as const;
export type GateState = (typeof gateStates)[number];

/** The steps of a mirror run, in their order. */
export const runSteps = ['upload', 'prepare', 'drain', 'scan', 'write'] as const;
export type RunStep = (typeof runSteps)[number];

/** How a run can end. `abandoned`: an operator gave it up, and the collection may be half written. */
export const runOutcomes = ['succeeded', 'failed', 'abandoned'] as const;
export type RunOutcome = (typeof runOutcomes)[number];

/** How the differences between feed and collection are found and written. */
export const strategies = ['two-phase', 'scan', 'swap'] as const;
export type Strategy = (typeof strategies)[number];

/** The words of a list with meanings, in its order, as a type that zod takes. */
export function namesOf<T extends object>(list: T): [keyof T & string, ...(keyof T & string)[]] {
  return Object.keys(list) as [keyof T & string, ...(keyof T & string)[]];
}
