/** The buttons of the page: the token is requested once, a confirmation each time. */
import type { ClusterStatus } from '#quiesce/protocol/runs.js';
import { post, Refusal } from './api.ts';
import { ask } from './dialogs.ts';
import { byId, say, set } from './dom.ts';
import { duration } from './format.ts';
import { notify } from './notices.ts';
import type { Token } from './token.ts';

/** The name that the primary gets for an order: the page does not know its user. */
const by = 'the dashboard';
const steering = ['hold', 'resume', 'reload', 'scale', 'cancel', 'abandon'] as const;

export class Actions {
  readonly #token: Token;
  readonly #onToken: () => void;
  #status: ClusterStatus | null = null;

  /** @param onToken called when the user has entered the token, and when the token was found to be wrong */
  constructor(token: Token, onToken: () => void) {
    this.#token = token;
    this.#onToken = onToken;
    this.#on('hold', () => this.#hold());
    this.#on('resume', () => this.#resume());
    this.#on('reload', () => this.#reload());
    this.#on('scale', () => this.#scale());
    this.#on('cancel', () => this.#cancel());
    this.#on('abandon', () => this.#abandon());
    for (const id of ['unlock', 'unlock-log']) this.#on(id, () => this.#unlock());
  }

  /** @param status null if there is no connection to a primary */
  show(status: ClusterStatus | null, trusted: boolean): void {
    this.#status = status;
    const held = status?.holds.some(({ kind }) => kind === 'operator') ?? false;
    set(byId('hold'), 'hidden', held);
    set(byId('resume'), 'hidden', !held);
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
    const reason = byId<HTMLInputElement>('hold-reason');
    const time = byId<HTMLSelectElement>('hold-for');
    if (!(await this.#ready())) return;
    reason.value = '';
    await ask('hold-dialog', async () => {
      const body = {
        on: true,
        by,
        ...(reason.value.trim() === '' ? {} : { reason: reason.value.trim() }),
        ...(time.value === '' ? {} : { for: time.value }),
      };
      await this.#post('/api/maintenance', body);
      notify('The cluster is held.');
    });
  }

  async #resume(): Promise<void> {
    if (!(await this.#ready())) return;
    const hold = this.#status?.holds.find(({ kind }) => kind === 'operator');
    say(
      byId('resume-text'),
      `The operator hold (${hold?.reason ?? 'no reason given'}) ends, and requests are served again.`,
    );
    await ask('resume-dialog', async () => {
      await this.#post('/api/maintenance', { on: false, by });
      notify('The operator hold is over.');
    });
  }

  async #reload(): Promise<void> {
    if (!(await this.#ready())) return;
    await ask('reload-dialog', async () =>
      this.#later('reload', '/api/reload', { by }, 'Every worker has been replaced'),
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
      this.#later('scale', '/api/scale', { instances, by }, `The cluster has ${instances} workers`);
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

  #need(): Promise<string | null> {
    return this.#token.need(this.#status?.name ?? '<app>');
  }

  async #ready(): Promise<boolean> {
    const before = this.#token.value;
    if ((await this.#need()) === null) return false;
    if (before === null) this.#onToken();
    return true;
  }

  async #post(path: string, body: unknown): Promise<void> {
    try {
      await post(path, body, this.#token.value ?? '');
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
