/** The admin token and the name of the user: requested once, and kept for this tab only. */
import { ask } from './dialogs.ts';
import { byId } from '../parts/dom.ts';

const key = 'quiesce.token';
const nameKey = 'quiesce.name';

export class Token {
  /** Resolves with whether the primary knows the token. */
  readonly #check: (token: string) => Promise<boolean>;

  constructor(check: (token: string) => Promise<boolean>) {
    this.#check = check;
  }

  get value(): string | null {
    return sessionStorage.getItem(key);
  }

  /** Who gives an order, as the status and the log show it. */
  get by(): string {
    const name = sessionStorage.getItem(nameKey);
    return name === null ? 'the dashboard' : `${name}, on the dashboard`;
  }

  forget(): void {
    sessionStorage.removeItem(key);
    sessionStorage.removeItem(nameKey);
  }

  /** Returns the token and asks the user for it if there is none. Null if the user cancels. */
  async need(): Promise<string | null> {
    if (this.value !== null) return this.value;
    const input = byId<HTMLInputElement>('token');
    input.value = '';
    const given = await ask('token-dialog', async () => {
      const token = input.value.trim();
      if (!/^[\x21-\x7e]+$/.test(token) || !(await this.#check(token)))
        throw new Error('That is not the token of this primary.');
      sessionStorage.setItem(key, token);
      const who = byId<HTMLInputElement>('user').value.trim();
      if (who !== '') sessionStorage.setItem(nameKey, who);
    });
    input.value = '';
    return given ? this.value : null;
  }
}
