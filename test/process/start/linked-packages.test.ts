/** The package where each of its dependencies is reached through a symbolic link, as pnpm installs it. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { usePlainClusters } from '../harness/clusters/clusters.ts';

const app = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));
const root = fileURLToPath(new URL('../../../../', import.meta.url));

describe('a package whose dependencies are symbolic links', function () {
  this.timeout(60_000);
  const clusters = usePlainClusters();
  const folder = mkdtempSync(join(tmpdir(), 'quiesce-linked-'));
  after('the copy', () => rmSync(folder, { recursive: true }));

  it('starts, and its log goes into a pipe', async () => {
    for (const part of ['dist', 'package.json']) cpSync(join(root, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const copy = join(folder, 'dist/cli/main.js');
    const instead = `node=$1 tether=$3; shift 4; exec "$node" --import "$tether" '${copy}' "$@"`;
    const cluster = await clusters.create({ script: app, instances: 1, under: ['sh', '-c', instead, 'sh'] });
    cluster.launch();
    await cluster.ready();
    expect((await fetch(cluster.url)).status).to.equal(200);
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
