/** Counts workers that were killed because they did not finish in time, and their requests in flight. */
export class CutOff {
  workers = 0;
  requests = 0;

  worker(requests: number): void {
    this.workers += 1;
    this.requests += requests;
  }
}
