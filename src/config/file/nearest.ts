/** Guesses which name a misspelt one means. */
import leven from 'leven';

export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Returns the candidate nearest to a misspelt name, or undefined if none is near. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let distance = Math.max(2, Math.floor(name.length / 4)) + 1;
  for (const candidate of candidates) {
    const here = leven(snakeCase(name), candidate);
    if (here < distance) [best, distance] = [candidate, here];
  }
  return best;
}
