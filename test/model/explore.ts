/**
 * Explores every interleaving of a model, breadth first: a state is a plain value, and its successors are all that can
 * happen next. As stateright does it for Rust.
 *
 *   always      holds in every state
 *   sometimes   is reached in some state, so that no property holds only because nothing happens
 *   eventually  is reached from every state, whatever happens, as long as what is fair goes on happening: looked for as
 *               a cycle, or an end, in which it never is
 */
export interface Move<S> {
  /** Read by people in a counterexample. */
  readonly name: string;
  readonly to: S;
  /**
   * The class of what happens here, where it cannot be put off for ever: what stays possible all along a cycle has to happen in
   * it. Without one it may never happen, as a crash.
   */
  readonly fair?: string;
}

export interface Model<S> {
  readonly name: string;
  readonly initial: readonly S[];
  /** An error thrown on the way is a violation as well: a move that no table lists. */
  moves(state: S): Iterable<Move<S>>;
  /** Equal for states that are the same but for the names of workers or hosts. */
  key(state: S): string;
  /** Each says what is wrong, or null. */
  readonly always: Readonly<Record<string, (state: S) => string | null>>;
  readonly sometimes: Readonly<Record<string, (state: S) => boolean>>;
  readonly eventually?: Readonly<Record<string, (state: S) => boolean>>;
}

export interface Bounds {
  /** Stops there, and says that it has not seen all. */
  readonly states?: number;
}

export interface Violation {
  readonly property: string;
  readonly what: string;
  /** The moves that lead there, then those of the cycle where there is one. */
  readonly path: readonly string[];
  readonly cycle: readonly string[];
}

export interface Exploration {
  readonly model: string;
  readonly states: number;
  readonly moves: number;
  readonly depth: number;
  readonly seconds: number;
  readonly complete: boolean;
  /** What `sometimes` was never reached. */
  readonly missing: readonly string[];
  readonly violation: Violation | null;
}

interface Node<S> {
  readonly state: S;
  readonly from: number;
  readonly by: string;
  readonly depth: number;
}

interface Edge {
  readonly to: number;
  readonly name: string;
  readonly fair: string | undefined;
}

export function explore<S>(model: Model<S>, bounds: Bounds = {}): Exploration {
  const since = performance.now();
  const limit = bounds.states ?? Infinity;
  const wantsEdges = model.eventually !== undefined;
  const nodes: Node<S>[] = [];
  const edges: Edge[][] = [];
  const known = new Map<string, number>();
  const missing = new Set(Object.keys(model.sometimes));
  let moves = 0;
  let violation: Violation | null = null;
  let complete = true;

  const pathTo = (index: number): string[] => {
    const path: string[] = [];
    for (let at = index; nodes[at]!.from >= 0; at = nodes[at]!.from) path.push(nodes[at]!.by);
    return path.reverse();
  };
  const visit = (state: S, from: number, by: string): number => {
    const key = model.key(state);
    const before = known.get(key);
    if (before !== undefined) return before;
    const index = nodes.length;
    known.set(key, index);
    nodes.push({ state, from, by, depth: from < 0 ? 0 : nodes[from]!.depth + 1 });
    for (const [property, holds] of Object.entries(model.always)) {
      const what = holds(state);
      if (what !== null) violation ??= { property, what, path: pathTo(index), cycle: [] };
    }
    for (const name of missing) if (model.sometimes[name]!(state)) missing.delete(name);
    return index;
  };

  for (const state of model.initial) visit(state, -1, '');
  for (let at = 0; at < nodes.length && violation === null; at++) {
    if (nodes.length > limit) {
      complete = false;
      break;
    }
    const out: Edge[] = [];
    try {
      for (const { name, to, fair } of model.moves(nodes[at]!.state)) {
        moves++;
        out.push({ to: visit(to, at, name), name, fair });
        if (violation !== null) break;
      }
    } catch (error) {
      violation = { property: 'no error', what: String(error), path: pathTo(at), cycle: [] };
    }
    if (wantsEdges) edges.push(out);
  }
  if (violation === null && complete && model.eventually !== undefined) {
    for (const [property, reached] of Object.entries(model.eventually)) {
      const found = findLivelock(nodes, edges, reached);
      if (found === null) continue;
      violation = { property, what: found.what, path: pathTo(found.at), cycle: found.cycle };
      break;
    }
  }
  return {
    model: model.name,
    states: nodes.length,
    moves,
    depth: nodes.at(-1)?.depth ?? 0,
    seconds: (performance.now() - since) / 1_000,
    complete,
    missing: [...missing],
    violation,
  };
}

/**
 * A state in which nothing has to happen, or a set of states that can be gone round in for ever, in which the goal is
 * never reached. A set counts only where it is fair: each class of moves that is possible in all of its states is also
 * taken within it. What need not happen may stop at any time, so a round of nothing else is no round.
 */
function findLivelock<S>(
  nodes: readonly Node<S>[],
  edges: readonly (readonly Edge[])[],
  reached: (state: S) => boolean,
): { readonly at: number; readonly what: string; readonly cycle: string[] } | null {
  const inside = nodes.map(({ state }) => !reached(state));
  const isFair = ({ fair }: Edge): boolean => fair !== undefined;
  const end = inside.findIndex((isInside, at) => isInside && !edges[at]!.some(isFair));
  if (end !== -1) return { at: end, what: 'nothing that has to happen is possible any more', cycle: [] };
  for (const component of componentsOf(inside, edges)) {
    const members = new Set(component);
    const within = component.flatMap((from) => edges[from]!.filter(({ to }) => members.has(to)));
    if (!within.some(isFair)) continue;
    const taken = new Set(within.map(({ fair }) => fair));
    const possible = component.map((from) => new Set(edges[from]!.map(({ fair }) => fair)));
    const isStarved = (fair: string | undefined): boolean =>
      fair !== undefined && !taken.has(fair) && possible.every((all) => all.has(fair));
    if ([...possible[0]!].some(isStarved)) continue;
    const cycle = [...new Set(within.map(({ name }) => name))];
    return { at: component[0]!, what: 'it can go round for ever', cycle };
  }
  return null;
}

/** Tarjan's strongly connected components of the part that is `inside`, without recursion. */
function* componentsOf(inside: readonly boolean[], edges: readonly (readonly Edge[])[]): Generator<number[]> {
  const order = new Int32Array(inside.length).fill(-1);
  const low = new Int32Array(inside.length);
  const onStack = new Uint8Array(inside.length);
  const stack: number[] = [];
  let count = 0;
  for (let root = 0; root < inside.length; root++) {
    if (!inside[root] || order[root] !== -1) continue;
    const work: { at: number; next: number }[] = [{ at: root, next: 0 }];
    while (work.length > 0) {
      const frame = work.at(-1)!;
      const { at } = frame;
      if (frame.next === 0) {
        order[at] = low[at] = count++;
        stack.push(at);
        onStack[at] = 1;
      }
      const edge = edges[at]![frame.next++];
      if (edge !== undefined) {
        if (!inside[edge.to]) continue;
        if (order[edge.to] === -1) work.push({ at: edge.to, next: 0 });
        else if (onStack[edge.to]) low[at] = Math.min(low[at]!, order[edge.to]!);
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent) low[parent.at] = Math.min(low[parent.at]!, low[at]!);
      if (low[at] !== order[at]) continue;
      const component: number[] = [];
      for (let member = -1; member !== at;) {
        member = stack.pop()!;
        onStack[member] = 0;
        component.push(member);
      }
      yield component;
    }
  }
}

/** How likely a move is to be taken in a random walk, 1 by default. */
export type Weigh = (name: string) => number;

export interface Walks {
  readonly walks: number;
  readonly steps: number;
  readonly seconds: number;
  readonly missing: readonly string[];
  readonly violation: Violation | null;
}

/**
 * Random walks: no proof, but they reach what lies too deep to be explored, and a fault is found in a moment.
 *
 * @param random in [0, 1)
 */
export function walk<S>(
  model: Model<S>,
  bounds: { readonly walks: number; readonly length: number },
  random: () => number,
  weigh: Weigh = () => 1,
): Walks {
  const since = performance.now();
  const missing = new Set(Object.keys(model.sometimes));
  let steps = 0;
  let walks = 0;
  let violation: Violation | null = null;
  for (; walks < bounds.walks && violation === null; walks++) {
    const path: string[] = [];
    let state: S = model.initial[Math.floor(random() * model.initial.length)] as S;
    while (path.length < bounds.length && violation === null) {
      const move = choose([...model.moves(state)], random, weigh);
      if (move === undefined) break;
      steps++;
      state = move.to;
      path.push(move.name);
      for (const [property, holds] of Object.entries(model.always)) {
        const what = holds(state);
        if (what !== null) violation ??= { property, what, path, cycle: [] };
      }
      for (const name of missing) if (model.sometimes[name]!(state)) missing.delete(name);
    }
  }
  return { walks, steps, seconds: (performance.now() - since) / 1_000, missing: [...missing], violation };
}

function choose<S>(moves: readonly Move<S>[], random: () => number, weigh: Weigh): Move<S> | undefined {
  let left = random() * moves.reduce((sum, { name }) => sum + weigh(name), 0);
  return moves.find(({ name }) => (left -= weigh(name)) < 0) ?? moves.at(-1);
}

/** The same numbers for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A counterexample as people read it. */
export function tell({ model, violation }: Pick<Exploration, 'model' | 'violation'>): string {
  if (violation === null) return `${model}: nothing is wrong`;
  const { property, what, path, cycle } = violation;
  const lines = path.map((name, index) => `${String(index + 1).padStart(4)}. ${name}`);
  const round = cycle.length === 0 ? [] : ['  then, again and again:', ...cycle.map((name) => `      ${name}`)];
  return [`${model}: ${property} does not hold: ${what}`, ...lines, ...round].join('\n');
}
