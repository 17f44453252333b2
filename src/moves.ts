/** What every state machine needs: the check behind its table of moves, and the type of the copy that a step changes. */

/** For each state those that may follow it. */
export type Moves<State extends string> = Readonly<Record<State, readonly State[]>>;

/** A state's type for the copy that a step changes. */
export type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * @param what whose state it is, for the message
 * @throws Error on a move that the table does not list: a defect, never an input
 */
export function checkMove<State extends string>(moves: Moves<State>, what: string, from: State, to: State): void {
  if (!moves[from].includes(to)) throw new Error(`${what} may not go from ${from} to ${to}.`);
}
