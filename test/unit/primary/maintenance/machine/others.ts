/**
 * The other hosts of a site: they agree to what the run of this one asks, later and in order, pause it for runs of
 * their own, and count it out. Asked for nothing where there are none.
 */
import type { Event, Question, SiteHold } from '#quiesce/primary/maintenance/machine/state.js';
import type { ClusterModel } from './cluster-model.ts';

export class Others {
  /** The right to run: of this host's run, or of another's. */
  #run: string | null = null;
  #isOurs = false;
  #epoch = 0;
  #pause: number | null = null;
  #isOut = false;
  /** An operator holds all hosts. */
  #isHeld = false;
  /** The run may have begun to write, so it stays when its host is counted out. */
  #isWriting = false;
  /** What was asked and is not answered yet. */
  #asked: { readonly run: string; readonly to: Question } | null = null;
  /** What this host has not heard yet, in the order of the document. */
  readonly #news: Event[] = [];
  /** A run of this host that had begun to write when it was counted out, and what of it the host has dropped. */
  #kept: string | null = null;
  #left: string | null = null;
  hasDropped = false;
  hasPaused = false;
  readonly #model: ClusterModel;

  constructor(model: ClusterModel) {
    this.#model = model;
  }

  get news(): number {
    return this.#news.length + (this.#asked === null ? 0 : 1);
  }

  look(): void {
    const { state, rules } = this.#model;
    if (rules.asksOthers !== true || state.run === null || state.run.asks === null) return;
    this.#asked = { run: state.run.id, to: state.run.asks };
  }

  /** What was asked takes effect. */
  answer(): void {
    const asked = this.#asked;
    if (asked === null) return;
    this.#asked = null;
    const { run, to } = asked;
    const isOwn = this.#run === run && this.#isOurs;
    if (to === 'claim') {
      if (this.#isOut || (this.#run !== null && !isOwn))
        return this.#tell({ type: 'refused', run, code: 'run-in-progress', holder: this.#run });
      this.#run = run;
      this.#isOurs = true;
    } else if (to === 'end') {
      if (isOwn) this.#free();
    } else if (this.#isOut || !isOwn) {
      return; // it hears that its run is lost
    } else if (to === 'drain') this.#pause = ++this.#epoch;
    else this.#isWriting = this.#pause !== null && this.#model.state.run?.kind === 'sync';
    this.#tell({ type: 'agreed', run, to, hold: this.#hold(), fence: this.#pause });
  }

  /** Another host pauses all, and lets go. */
  pause(): void {
    if (this.#model.rules.asksOthers !== true || this.#isOut) return;
    if (this.#run === null) {
      this.#run = 'others';
      this.hasPaused = true;
      this.#isOurs = false;
      this.#pause = ++this.#epoch;
    } else if (!this.#isOurs) this.#free();
    else return;
    this.#tell({ type: 'site', hold: this.#hold() });
  }

  /** An operator holds all hosts, or opens them. */
  hold(): void {
    if (this.#model.rules.asksOthers !== true || this.#isOut) return;
    this.#isHeld = !this.#isHeld;
    if (this.#isHeld && this.#pause === null) this.#epoch++;
    this.#tell({ type: 'site', hold: this.#hold() });
  }

  /** The lease is over, and they count this host out; or it is back. */
  countOut(): void {
    if (this.#model.rules.asksOthers !== true) return;
    const { state } = this.#model;
    if (this.#isOut) {
      if (state.run !== null || state.phase !== 'quiesced') return;
      this.#isOut = false;
      this.#tell({ type: 'site', hold: this.#hold() });
      if (this.#kept === null) return;
      const isLeft = this.#left === this.#kept || this.#model.state.unfinished.includes(this.#kept);
      this.#kept = this.#left = null;
      // One that had come to its end here before is ended there as well.
      if (!isLeft) this.#free();
      else this.#isOurs = true;
      this.#tell({ type: 'site', hold: this.#hold() });
      return isLeft ? this.#tell({ type: 'recover', runs: [this.#run!] }) : undefined;
    }
    this.#isOut = true;
    this.#tell({ type: 'site', hold: this.#hold() });
    if (this.#run === null || !this.#isOurs) return;
    const goesOn = this.#isWriting;
    const run = this.#run;
    this.#isOurs = false;
    if (goesOn) this.#kept = run;
    else this.#free();
    this.#tell({ type: 'lost', run });
  }

  dropped(run: string): void {
    this.#left = run;
    this.hasDropped = true;
    this.#model.dispatch({ type: 'dropped', run });
  }

  hear(): void {
    const event = this.#news.shift();
    if (event !== undefined) this.#model.dispatch(event);
    else this.answer();
  }

  settle(): void {
    if (this.#isOut) this.countOut();
    if (this.#run === 'others') this.pause();
    if (this.#isHeld) this.hold();
    while (this.news > 0) this.hear();
  }

  #free(): void {
    this.#run = null;
    this.#isWriting = false;
    this.#pause = null;
  }

  #tell(event: Event): void {
    this.#news.push(event);
  }

  #hold(): SiteHold | null {
    const of = { reason: '', since: 0, operator: null, run: this.#run };
    if (this.#isOut) return { ...of, kind: 'cluster', epoch: null };
    const operator = this.#isHeld ? { reason: '', since: 0, until: null, by: null } : null;
    if (this.#pause !== null) return { ...of, kind: 'sync', operator, epoch: this.#pause };
    return operator === null ? null : { ...of, kind: 'operator', operator, epoch: this.#epoch };
  }
}
