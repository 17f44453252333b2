/** What processes have used, from /proc. */
import { readFileSync } from 'node:fs';

/** USER_HZ, which is 100 on every Linux that Node runs on. */
const ticksPerSecond = 100;
const pageSize = 4096;

/** Processor time of the process since it began, ms, in steps of 10. */
export function processorTime(pid: number): number {
  const fields = stat(pid);
  return ((Number(fields[11]) + Number(fields[12])) * 1_000) / ticksPerSecond;
}

/** Proportional set size, MB: memory that several processes share is counted once in the sum of them all. */
export function proportional(pid: number): number {
  const [, kilobytes] = /^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/** The processes that this one has started, in the order of their starts. */
export function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
}

/** Resident memory, MB. */
export function resident(pid: number): number {
  return (Number(stat(pid)[21]) * pageSize) / 1024 / 1024;
}

/** The fields after the name of the process, which may hold blanks. */
function stat(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
