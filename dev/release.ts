/**
 * `npm run release [-- --dry-run]`: publishes the version in package.json, with its provenance (npm's signed statement of
 * the commit and the workflow that built it). That needs a public repository and a workflow with `id-token: write`; no
 * token is kept here. Everything that could be wrong is looked at first.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const dryRun = process.argv.includes('--dry-run');

interface Manifest {
  readonly version: string;
  readonly repository?: unknown;
}

const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');
const git = (...args: string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
const npm = (...args: string[]): void => void execFileSync('npm', args, { cwd: root, stdio: 'inherit' });

function faults({ version, repository }: Manifest): string[] {
  const tag = `v${version}`;
  return [
    git('status', '--porcelain') === '' ? '' : 'There are changes that are not committed.',
    git('tag', '--points-at', 'HEAD').split('\n').includes(tag) ? '' : `This commit has no tag ${tag}.`,
    read('CHANGELOG.md').includes(`\n## ${version} `) ? '' : `CHANGELOG.md has no section "## ${version} – <date>".`,
    repository === undefined ? 'package.json names no repository, which provenance is checked against.' : '',
  ].filter((fault) => fault !== '');
}

const found = faults(JSON.parse(read('package.json')) as Manifest);
if (found.length > 0) {
  console.error(found.join('\n'));
  process.exitCode = 1;
} else {
  npm('ci');
  npm('test');
  npm('run', 'check:package');
  npm('publish', '--access', 'public', ...(dryRun ? ['--dry-run'] : ['--provenance']));
}
