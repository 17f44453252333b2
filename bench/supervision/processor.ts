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

/** Resident memory, MB. */
export function resident(pid: number): number {
  return (Number(stat(pid)[21]) * pageSize) / 1024 / 1024;
}

/** The fields after the name of the process, which may hold blanks. */
function stat(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
