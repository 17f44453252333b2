/** Counts workers that were killed for not having finished in time, and what they had in flight. */
export class CutOff {
  workers = 0;
  requests = 0;

  worker(requests: number): void {
    this.workers += 1;
    this.requests += requests;
  }
}
