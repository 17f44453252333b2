/** The buttons of the page: the token is requested once, a confirmation each time. */
import type { ClusterStatus, HoldStatus } from '#quiesce/protocol/api/runs.js';
import { post, Refusal } from '../live/api.ts';
import { ask } from './dialogs.ts';
import { byId, say, set } from '../parts/dom.ts';
import { duration } from '../parts/format.ts';
import { askForHold } from './hold-dialog.ts';
import { notify } from '../parts/notices.ts';
import type { Token } from './token.ts';

const steering = ['hold', 'resume', 'extend', 'reload', 'scale', 'cancel', 'abandon'] as const;

export class Actions {
  readonly #token: Token;
  readonly #onToken: () => void;
  #status: ClusterStatus | null = null;
  #now = 0;

  /** @param onToken called when the user has entered the token, and when the token was found to be wrong */
  constructor(token: Token, onToken: () => void) {
    this.#token = token;
    this.#onToken = onToken;
    this.#on('hold', () => this.#hold());
    this.#on('extend', () => this.#hold());
    this.#on('resume', () => this.#resume());
    this.#on('reload', () => this.#reload());
    this.#on('scale', () => this.#scale());
    this.#on('cancel', () => this.#cancel());
    this.#on('abandon', () => this.#abandon());
    for (const id of ['unlock', 'unlock-log']) this.#on(id, () => this.#unlock());
  }

  /**
   * @param status null if there is no connection to a primary
   * @param now the primary's clock, epoch ms
   */
  show(status: ClusterStatus | null, trusted: boolean, now: number): void {
    this.#status = status;
    this.#now = now;
    const held = operatorHold(status) !== undefined;
    set(byId('hold'), 'hidden', held);
    set(byId('extend'), 'hidden', !held);
    set(byId('resume'), 'hidden', !held && status?.scheduled === undefined);
    say(byId('resume'), held ? 'Resume …' : 'Call off …');
    for (const id of steering) byId<HTMLButtonElement>(id).disabled = status === null || byId(id).ariaBusy === 'true';
    say(byId('unlock'), trusted ? 'Lock' : 'Unlock');
  }

  #on(id: string, act: () => Promise<void>): void {
    byId(id).addEventListener('click', () => void act());
  }

  async #unlock(): Promise<void> {
    if (this.#token.value === null) {
      if ((await this.#need()) === null) return;
    } else {
      this.#token.forget();
    }
    this.#onToken();
  }

  async #hold(): Promise<void> {
    if (!(await this.#ready())) return;
    const now = (): number => this.#now;
    const hold = operatorHold(this.#status);
    const standing = hold === undefined ? null : { hold, here: this.#isHere(hold) };
    await askForHold(standing, this.#token.by, now, async (order) => {
      await this.#post('/api/maintenance', order);
      const begun = order.at === undefined ? 'The cluster is held.' : 'The hold is scheduled.';
      notify(standing === null ? begun : 'The hold is changed.');
    });
  }

  async #resume(): Promise<void> {
    if (!(await this.#ready())) return;
    const held = operatorHold(this.#status) !== undefined;
    const hold = operatorHold(this.#status) ?? this.#status?.scheduled;
    const which = `The ${held ? 'operator' : 'scheduled'} hold (${hold?.reason ?? 'no reason given'})`;
    say(byId('resume-title'), held ? 'Resume?' : 'Call off the scheduled hold?');
    say(byId('resume-text'), `${which} ${held ? 'ends, and requests are served again' : 'does not begin'}.`);
    say(byId('resume-confirm'), held ? 'Resume' : 'Call it off');
    await ask('resume-dialog', async () => {
      const here = this.#isHere(hold);
      await this.#post('/api/maintenance', { on: false, ...(here ? { here } : {}), by: this.#token.by });
      notify(held ? 'The operator hold is over.' : 'The scheduled hold is called off.');
    });
  }

  async #reload(): Promise<void> {
    if (!(await this.#ready())) return;
    await ask('reload-dialog', async () =>
      this.#later('reload', '/api/reload', { by: this.#token.by }, 'Every worker has been replaced'),
    );
  }

  async #scale(): Promise<void> {
    if (!(await this.#ready())) return;
    const input = byId<HTMLInputElement>('scale-instances');
    const slots = new Set(this.#status?.workers.map(({ slot }) => slot)).size;
    input.value = String(slots);
    say(byId('scale-text'), `There are ${slots} now. The change lasts until the primary is started again.`);
    await ask('scale-dialog', async () => {
      const instances = Number(input.value);
      this.#later('scale', '/api/scale', { instances, by: this.#token.by }, `The cluster has ${instances} workers`);
    });
  }

  async #cancel(): Promise<void> {
    if (!(await this.#ready())) return;
    const run = byId('cancel').dataset['run'] ?? '';
    await ask('cancel-dialog', async () => {
      await this.#post(`/api/runs/${encodeURIComponent(run)}/cancel`, {});
      notify(`Run ${run} has been cancelled.`);
    });
  }

  async #abandon(): Promise<void> {
    if (!(await this.#ready())) return;
    const run = byId('abandon').dataset['run'] ?? '';
    await ask('abandon-dialog', async () => {
      await this.#post(`/api/runs/${encodeURIComponent(run)}/abandon`, {});
      notify(`Run ${run} has been abandoned.`);
    });
  }

  /** Starts an action that takes long: the dialog closes at once, and a notice shows the result. */
  #later(id: string, path: string, body: unknown, done: string): void {
    const button = byId(id);
    const began = performance.now();
    set(button, 'aria-busy', 'true');
    this.#post(path, body)
      .then(
        () => notify(`${done}; it took ${duration(performance.now() - began)}.`),
        (error: unknown) => notify((error as Error).message, true),
      )
      .finally(() => set(button, 'aria-busy', null));
  }

  /** Whether a hold is of this host alone, among several. */
  #isHere(hold: Pick<HoldStatus, 'allHosts'> | undefined): boolean {
    return this.#status?.hosts !== undefined && hold?.allHosts !== true;
  }

  #need(): Promise<string | null> {
    return this.#token.need();
  }

  async #ready(): Promise<boolean> {
    const before = this.#token.value;
    if ((await this.#need()) === null) return false;
    if (before === null) this.#onToken();
    return true;
  }

  /** Shows the warnings of the answer: requests that were cut off, settings that were left out, and standing troubles. */
  async #post(path: string, body: unknown): Promise<void> {
    try {
      const { warnings = [] } = (await post(path, body, this.#token.value ?? '')) as Partial<ClusterStatus>;
      for (const warning of warnings) notify(`Warning: ${warning}`, true);
    } catch (error) {
      if (error instanceof Refusal && error.status === 401) {
        this.#token.forget();
        this.#onToken();
        throw new Error('The token is not valid any more. Unlock again.', { cause: error });
      }
      throw error;
    }
  }
}

function operatorHold(status: ClusterStatus | null): HoldStatus | undefined {
  return status?.holds.find(({ kind }) => kind === 'operator');
}
