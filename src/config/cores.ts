/**
 * How many cores this process may use: those of the machine, or fewer where its container has a quota of processor time.
 * Node before libuv 1.49 does not look at quotas; whole cores count, as there.
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** @param root of the file system, for tests */
export function availableCores(root = '/', machine: number = os.availableParallelism()): number {
  const quotas = quotasOf(root);
  return Math.max(1, Math.min(machine, ...quotas.map((cores) => Math.floor(cores))));
}

/** Those of the control group and of all above it: each of them holds. */
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

/** A container may see its group under the name that the host knows, with its files at the top. */
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

/** `max`, -1 and a file that is not there are no quota. */
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
