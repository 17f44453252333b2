/**
 * A reload of all hosts, one after another: each acts when the site document says that it is its turn, and writes what became
 * of it. So the host that was asked needs no way to the admin servers of the others.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { SiteReload } from '../../cluster/document.ts';
import { isIn } from '../../cluster/member.ts';
import { isOver } from '../../cluster/site-reload.ts';
import { QuiesceError, isErrorCode, toQuiesceError } from '../../errors.ts';
import type { ReloadOutcome } from '../reload/reloads.ts';
import type { SiteAgreement } from './site-agreement.ts';
import { order, unreachable } from './unreachable.ts';

export class ClusterReload {
  readonly #agreement: SiteAgreement;
  readonly #reload: () => Promise<ReloadOutcome>;
  readonly #log: Pick<Logger, 'info' | 'warn'>;
  /** The reload of all hosts that this host has begun with last. */
  #begun: string | null = null;
  #outcome: ReloadOutcome = { changes: [], warnings: [] };

  constructor(agreement: SiteAgreement, reload: () => Promise<ReloadOutcome>, log: Pick<Logger, 'info' | 'warn'>) {
    this.#agreement = agreement;
    this.#reload = reload;
    this.#log = log;
    agreement.changes.onChange(() => this.#look());
  }

  /**
   * Resolves with what it changed here when every host has it. A second one begins when the first one has ended.
   * @throws QuiesceError of the host that failed; `database-unavailable`
   */
  async start(by: string | null): Promise<ReloadOutcome> {
    const { host, changes } = this.#agreement;
    const id = randomUUID();
    const now = (): SiteReload | null => host.member.site?.reload ?? null;
    const isOut = (): boolean => !isIn(host.member);
    for (let isTaken = false; !isTaken;) {
      await changes.until(() => isOver(now()) || isOut());
      const answer = await order(host, { type: 'reload', ref: host.member.ref, id, by });
      isTaken = answer.refused === null;
    }
    await changes.until(() => now()?.id !== id || isOver(now()) || isOut());
    const reload = now();
    if (isOut()) throw unreachable('it was taken out of the cluster meanwhile; the others may go on with the reload');
    if (reload?.id === id && reload.failed !== null) throw failure(reload, reload.failed);
    return this.#outcome;
  }

  #look(): void {
    const { host } = this.#agreement;
    const reload = host.member.site?.reload ?? null;
    const isMyTurn = isIn(host.member) && reload?.left[0] === host.member.ref.host;
    if (reload === null || !isMyTurn || this.#begun === reload.id) return;
    this.#begun = reload.id;
    void this.#act(reload.id);
  }

  async #act(id: string): Promise<void> {
    this.#log.info({ reload: id }, 'it is the turn of this host in a reload of all hosts');
    try {
      this.#outcome = await this.#reload();
      this.#agreement.reloaded = { id, failed: null };
    } catch (thrown) {
      const { code, message } = toQuiesceError(thrown);
      this.#log.warn({ reload: id, code }, `the reload of all hosts stops here: ${message}`);
      this.#agreement.reloaded = { id, failed: { code, why: message } };
    }
    this.#agreement.host.poke();
  }
}

function failure({ done, of }: SiteReload, { host, code, why }: NonNullable<SiteReload['failed']>): QuiesceError {
  const others = `${done} of ${of} hosts have the new configuration; the others keep what they have.`;
  return new QuiesceError(isErrorCode(code) ? code : 'internal', `Host ${host}: ${why} ${others}`);
}
