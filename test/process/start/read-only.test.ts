import { spawnSync } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/trouble.js', import.meta.url));

describe('a data directory that becomes read-only', function () {
  this.timeout(120_000);
  const clusters = usePlainClusters();

  it('for longer than a lock may go untouched: the site serves on and says so, and goes on once it can write', async function () {
    if (spawnSync('unshare', ['-m', 'true']).status !== 0) this.skip();
    // In a namespace of its own, so that only the site sees its data directory read-only.
    const cluster = await clusters.start({ script: app, instances: 1, under: ['unshare', '-m'] });
    const { dataDir } = cluster;
    const inside = (command: string): void => {
      const args = ['-t', String(cluster.pid), '-m', 'sh', '-c', command, 'sh', dataDir];
      expect(spawnSync('nsenter', args, { encoding: 'utf8' })).to.include({ status: 0, stderr: '' });
    };
    inside('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"');
    const { mtimeMs: touched } = await stat(join(dataDir, 'primary.lock'));
    await cluster.said(/data directory .* cannot be written: EROFS/, 40_000);
    await until('the lock is older than one of a dead primary', () => Date.now() - touched > 10_500);
    expect((await stat(join(dataDir, 'primary.lock'))).mtimeMs).to.equal(touched);
    expect((await cluster.status()).warnings?.join()).to.match(/cannot be written: EROFS/);
    const held = await cluster.control.maintenance({ on: true, reason: 'read-only' });
    expect(held.warnings?.join()).to.match(/cannot be written \(EROFS.*\): a restart would open the gates/);
    await cluster.control.maintenance({ on: false });
    expect((await fetch(cluster.url)).status).to.equal(200);

    inside('umount -l "$1"');
    await cluster.said(/data directory .* can be written again/, 20_000);
    expect((await stat(join(dataDir, 'primary.lock'))).mtimeMs).to.be.greaterThan(touched);
    expect(await cluster.control.maintenance({ on: true, reason: 'again' })).not.to.have.property('warnings');
    await cluster.control.maintenance({ on: false });
    expect((await fetch(cluster.url)).status).to.equal(200);
    expect(await cluster.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
