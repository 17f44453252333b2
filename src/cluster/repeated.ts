/** Something that is done again and again, one at a time; each time says how long to wait for the next, ms. */
export class Repeated {
  readonly #act: () => Promise<number>;
  #timer: NodeJS.Timeout | undefined;
  #isActing = false;
  #isDue = false;
  #isStopped = false;

  /** @param act must not reject */
  constructor(act: () => Promise<number>) {
    this.#act = act;
  }

  /** Does it at once, or as soon as the time that goes on is over. */
  now(): void {
    clearTimeout(this.#timer);
    if (this.#isActing) this.#isDue = true;
    else if (!this.#isStopped) void this.#turn();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  async #turn(): Promise<void> {
    this.#isActing = true;
    const wait = await this.#act();
    this.#isActing = false;
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => this.now(), this.#isDue ? 0 : wait).unref();
    this.#isDue = false;
  }
}
