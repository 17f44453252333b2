/** The check behind every table of moves. */

/** For each state those that may follow it. */
export type Moves<State extends string> = Readonly<Record<State, readonly State[]>>;

/**
 * @param what whose state it is, for the message
 * @throws Error on a move that the table does not list: a defect, never an input
 */
export function checkMove<State extends string>(moves: Moves<State>, what: string, from: State, to: State): void {
  if (!moves[from].includes(to)) throw new Error(`${what} may not go from ${from} to ${to}.`);
}
