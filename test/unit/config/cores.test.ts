import { expect } from 'chai';
import { availableCores } from '#quiesce/config/cores.js';
import { scratchFolders } from '../scratch.ts';

const scratch = scratchFolders();
const coresOf = (files: Record<string, string>): number => availableCores(scratch(files), 16);

describe('the cores that a container may use', () => {
  it('are those of the machine where there is no quota', () => {
    expect(coresOf({ 'etc/hostname': 'box' })).to.equal(16);
    expect(coresOf({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'max 100000\n' })).to.equal(16);
    const files = { 'proc/self/cgroup': '4:cpu,cpuacct:/\n', 'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '-1\n' };
    expect(coresOf({ ...files, 'sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n' })).to.equal(16);
  });

  it('follow the quota of cgroup v2, in whole cores and at least one', () => {
    for (const [quota, cores] of [
      ['200000 100000', 2],
      ['250000 100000', 2],
      ['20000 100000', 1],
      ['6400000 100000', 16],
    ] as const)
      expect(coresOf({ 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': `${quota}\n` }), quota).to.equal(cores);
  });

  it('follow the least quota of the groups above, and those that the container sees at the top', () => {
    expect(
      coresOf({
        'proc/self/cgroup': '0::/kube/pod/box\n',
        'sys/fs/cgroup/kube/cpu.max': '300000 100000\n',
        'sys/fs/cgroup/kube/pod/box/cpu.max': '800000 100000\n',
      }),
    ).to.equal(3);
    expect(coresOf({ 'proc/self/cgroup': '0::/../host/name\n', 'sys/fs/cgroup/cpu.max': '400000 100000\n' })).to.equal(
      4,
    );
  });

  it('follow the quota of cgroup v1', () => {
    for (const mount of ['cpu,cpuacct', 'cpu'])
      expect(
        coresOf({
          'proc/self/cgroup': '9:memory:/docker/a\n4:cpu,cpuacct:/docker/a\n',
          [`sys/fs/cgroup/${mount}/docker/a/cpu.cfs_quota_us`]: '350000\n',
          [`sys/fs/cgroup/${mount}/docker/a/cpu.cfs_period_us`]: '100000\n',
        }),
      ).to.equal(3);
  });
});
