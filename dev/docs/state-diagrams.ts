/** The diagrams of docs/architecture.md, from the tables that the machine itself obeys. */
import { stageMoves as keeperMoves } from '#quiesce/keeper/state.js';
import { phaseMoves, stageMoves } from '#quiesce/primary/maintenance/machine/state.js';

export function phaseDiagram(): string {
  return diagram(phaseMoves, 'serving', []);
}

/** A run may end at any stage; only the last has no other way. */
export function stageDiagram(): string {
  return diagram(stageMoves, 'claimed', Object.keys(stageMoves));
}

export function keeperDiagram(): string {
  return diagram(keeperMoves, 'starting', ['over']);
}

function diagram(moves: Readonly<Record<string, readonly string[]>>, first: string, ends: readonly string[]): string {
  const lines = [
    `[*] --> ${first}`,
    ...Object.entries(moves).flatMap(([from, to]) => to.map((each) => `${from} --> ${each}`)),
    ...ends.map((from) => `${from} --> [*]`),
  ];
  return ['```mermaid', 'stateDiagram-v2', ...lines.map((line) => `  ${line}`), '```'].join('\n');
}
