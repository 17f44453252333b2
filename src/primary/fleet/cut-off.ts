/** Counts workers that were killed because they did not finish in time, and their requests in flight. */
export interface CutOffCount {
  readonly workers: number;
  readonly requests: number;
}

export class CutOff implements CutOffCount {
  workers = 0;
  requests = 0;

  worker(requests: number): void {
    this.workers += 1;
    this.requests += requests;
  }
}

export function cutOffSince(before: CutOffCount, now: CutOffCount): CutOffCount {
  return { workers: now.workers - before.workers, requests: now.requests - before.requests };
}
