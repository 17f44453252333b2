/** What an operator can see and do at any host for all of them. */
import { isSameRef, isStranded, pauseOf, type Site, type SiteHost } from '../../cluster/document.ts';
import type { Logger } from 'pino';
import { isOver } from '../../cluster/site-reload.ts';
import { QuiesceError } from '../../errors.ts';
import type { HostsReload, HostState, HostStatus } from '../../protocol/api/runs.ts';
import type { Coordinator } from '../maintenance/coordinator.ts';
import type { HoldOrders } from '../maintenance/holds/operator-holds.ts';
import type { Rules, ScheduledHold } from '../maintenance/machine/state.ts';
import type { ReloadOutcome } from '../reload/reloads.ts';
import type { Ticks } from '../ticks.ts';
import { ClusterReload } from './cluster-reload.ts';
import { ClusterHolds } from './cluster-holds.ts';
import { order } from './unreachable.ts';
import type { SiteAgreement } from './site-agreement.ts';

export class ClusterOperations implements Ticks {
  readonly holds: HoldOrders;
  readonly #agreement: SiteAgreement;
  #reloads: ClusterReload | null = null;

  constructor(agreement: SiteAgreement, coordinator: Pick<Coordinator, 'state' | 'beats'>, rules: Rules) {
    this.#agreement = agreement;
    this.holds = new ClusterHolds({
      agreement,
      waitingFor: () => coordinator.beats.waitingFor(coordinator.state),
      isStopping: () => coordinator.state.stopping,
      drainTimeout: () => rules.drainTimeout,
    });
  }

  /** Of all hosts. */
  get scheduled(): ScheduledHold | null {
    return this.#agreement.host.member.site?.scheduled ?? null;
  }

  /** An operator holds all hosts. */
  get isHeld(): boolean {
    return (this.#agreement.host.member.site?.operator ?? null) !== null;
  }

  /** See {@link Ticks.wins}. */
  async wins(what: string, at: number): Promise<boolean> {
    const { host } = this.#agreement;
    return (await order(host, { type: 'tick', ref: host.member.ref, what, at })).refused === null;
  }

  /** By name. */
  hosts(): HostStatus[] {
    const { member, serverNow } = this.#agreement.host;
    const { site, ref } = member;
    if (site === null) return [];
    const list = Object.entries(site.hosts).map(([host, each]): HostStatus => {
      const { name, incarnation, lease, version } = each;
      const here = isSameRef({ host, incarnation }, ref);
      const left = Math.round(lease - serverNow);
      return {
        name,
        here,
        state: stateOf(site, each, left),
        lease: left,
        ...(version === undefined ? {} : { version }),
      };
    });
    return list.sort((a, b) => a.name.localeCompare(b.name));
  }

  /**
   * Takes a dead host out. One that is alive after all finds itself out, and shuts.
   * @throws QuiesceError `not-found`, `bad-request`, `database-unavailable`
   */
  async remove(name: string): Promise<void> {
    const { host } = this.#agreement;
    const found = Object.entries(host.member.site?.hosts ?? {}).find(([, each]) => each.name === name);
    if (found === undefined) throw new QuiesceError('not-found', `There is no host ${name} in the cluster.`);
    const [id, { incarnation }] = found;
    // A former primary of this host may be in its place.
    if (isSameRef({ host: id, incarnation }, host.member.ref))
      throw new QuiesceError('bad-request', `${name} is this host. To take it out, stop it: quiesce stop`);
    await order(host, { type: 'remove', host: id, incarnation });
  }

  /** To be called once: what a reload of this host is. */
  reloadWith(reload: () => Promise<ReloadOutcome>, log: Pick<Logger, 'info' | 'warn'>): void {
    this.#reloads = new ClusterReload(this.#agreement, reload, log);
  }

  /** See {@link ClusterReload.start}. */
  reload(by: string | null): Promise<ReloadOutcome> {
    return this.#reloads!.start(by);
  }

  /** The reload of all hosts that is going on; null where none is. */
  get reloading(): HostsReload | null {
    const site = this.#agreement.host.member.site ?? null;
    const reload = site?.reload ?? null;
    if (site === null || reload === null || isOver(reload)) return null;
    return { host: site.hosts[reload.left[0]!]?.name ?? '', done: reload.done, of: reload.of };
  }

  /** Where and how a run is ended that is not this host's; null for one that is, and for one that is not going on. */
  elsewhere(run: string, order: 'cancel' | 'abandon'): string | null {
    const { site, ref } = this.#agreement.host.member;
    const own = site?.run ?? null;
    if (site === null || own?.id !== run || isSameRef(own.owner, ref)) return null;
    const { owner, kind } = own;
    if (!isStranded(site, own)) return `Run ${run} is at host ${owner.name}: ${order} it there.`;
    const how = kind === 'exec' ? 'quiesce maintenance off' : `quiesce runs abandon ${run}`;
    return `Run ${run} was at host ${owner.name}, which is gone. To give it up, at any host: ${how}`;
  }

  /** See {@link SiteAgreement.abandon}. */
  abandon(run: string): Promise<boolean> {
    return this.#agreement.abandon(run);
  }

  /** Calls back when the view of the others has changed; returns how to stop it. */
  onChange(listener: () => void): () => void {
    return this.#agreement.changes.onChange(listener);
  }
}

function stateOf(site: Site, each: SiteHost, left: number): HostState {
  if (left <= 0) return 'away';
  if (pauseOf(site) === null) return 'serving';
  return each.rest === site.epoch ? 'quiesced' : 'draining';
}
