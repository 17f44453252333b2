/**
 * Counts the cores that this process may use: all cores of the machine, or fewer if its container has a CPU quota. Node
 * before libuv 1.49 ignores quotas. A quota counts in whole cores, as in libuv.
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** @param root the root of the file system, for tests */
export function availableCores(root = '/', machine: number = os.availableParallelism()): number {
  const quotas = quotasOf(root);
  return Math.max(1, Math.min(machine, ...quotas.map((cores) => Math.floor(cores))));
}

/** Returns the quotas of the control group and of all groups above it: each of them applies. */
function quotasOf(root: string): number[] {
  const groups = read(path.join(root, 'proc/self/cgroup')) ?? '';
  return groups.split('\n').flatMap((line) => {
    const [, hierarchy, controllers = '', group = '/'] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    // The unified hierarchy, cgroups(7): https://docs.kernel.org/admin-guide/cgroup-v2.html
    if (hierarchy === '0' && controllers === '') return upwards(root, '', group).flatMap(quotaV2);
    if (!controllers.split(',').includes('cpu')) return [];
    return [controllers, 'cpu'].flatMap((mount) => upwards(root, mount, group)).flatMap(quotaV1);
  });
}

/**
 * Lists the folders of the groups. A container may see the host's name of its group, but the group's files at the top.
 */
function upwards(root: string, mount: string, group: string): string[] {
  const top = path.join(root, 'sys/fs/cgroup', mount);
  const folders: string[] = [];
  for (let name = path.join('/', group); ; name = path.dirname(name)) {
    folders.push(path.join(top, name));
    if (name === '/') return folders;
  }
}

function quotaV2(folder: string): number[] {
  const [quota, period] = (read(path.join(folder, 'cpu.max')) ?? '').trim().split(' ').map(Number);
  return cores(quota, period);
}

function quotaV1(folder: string): number[] {
  return cores(
    Number(read(path.join(folder, 'cpu.cfs_quota_us'))),
    Number(read(path.join(folder, 'cpu.cfs_period_us'))),
  );
}

/** `max`, -1 and a missing file mean that there is no quota. */
function cores(quota = 0, period = 0): number[] {
  return quota > 0 && period > 0 ? [quota / period] : [];
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
