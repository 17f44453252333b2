/** The pages that people read, from the root of the repository. */
import { readdirSync } from 'node:fs';
import { root } from './generated.ts';

export const pages: readonly string[] = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  ...readdirSync(new URL('docs/', root)).flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : [])),
];
