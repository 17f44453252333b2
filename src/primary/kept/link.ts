/**
 * The primary's end of the channel to its keeper. There is none with `--no-keeper`, or if a site is started from code.
 *
 *   joined → begun (the sockets that a former primary left have arrived) → lost (the keeper has died)
 *   joined → begun beside the owner → taken (the site is this one's, and its sockets have arrived) → lost
 *
 * A primary that loses its keeper must end at once: the next `start` brings a primary of its own.
 */
import type { SendHandle } from 'node:child_process';
import * as z from '../../vendor/zod.ts';
import { exitCodes, QuiesceError } from '../../errors.ts';
import {
  handoverProtocol,
  keeperProtocol,
  keeperVariable,
  passedVariable,
  severalVariable,
} from '../../protocol/keeper/names.ts';
import { fromKeeper } from '../../protocol/keeper/messages.ts';
import type { Former, FromKeeper, Handle, Outgoing, SocketName, ToKeeper } from '../../protocol/keeper/messages.ts';

export interface KeptSocket {
  readonly id: string;
  readonly name: SocketName;
  readonly handle: Handle;
}

/** What the keeper says about a handover. */
export type Order = Extract<
  FromKeeper,
  { type: 'former-gone' | 'successor-prepared' | 'successor-failed' | 'refused' | 'leave' }
>;

export type Beginning = Pick<Extract<FromKeeper, { type: 'begin' }>, 'again' | 'beside' | 'former'>;

const beatEvery = 5_000;
/** How long the keeper may take to answer, ms. */
const patience = 2_000;

export class KeeperLink {
  readonly pid: number = process.ppid;
  readonly isOneOfSeveral: boolean;
  /** The names of the sockets that a service manager has passed. */
  readonly passed: readonly string[];
  readonly sockets: KeptSocket[] = [];
  /** Called when the keeper has died. */
  lost: () => void = () => process.exit(exitCodes.failed);
  /** Whether this keeper can replace a primary. */
  readonly canReplace: boolean;
  #begun!: (beginning: Beginning) => void;
  readonly begun: Promise<Beginning> = new Promise((resolve) => (this.#begun = resolve));
  #taken!: (former: readonly Former[]) => void;
  /** Of one that has begun beside the owner: resolves when it is the owner itself. */
  readonly taken: Promise<readonly Former[]> = new Promise((resolve) => (this.#taken = resolve));
  #onOrder: ((order: Order) => void) | null = null;
  readonly #earlyOrders: Order[] = [];
  #onSignal: ((signal: string, early: boolean) => void) | null = null;
  readonly #early: string[] = [];
  #onClosed = (): void => {};

  /** @throws QuiesceError `boot-failed` if the keeper speaks another version of the protocol */
  static join(): KeeperLink | null {
    const { [keeperVariable]: version, [severalVariable]: several, [passedVariable]: passed } = process.env;
    delete process.env[keeperVariable];
    delete process.env[severalVariable];
    delete process.env[passedVariable];
    if (version === undefined || process.send === undefined) return null;
    const spoken = Number(version);
    const isOneOfSeveral = several !== undefined;
    if (spoken >= 1 && spoken <= keeperProtocol)
      return new KeeperLink({
        isOneOfSeveral,
        passed: passed?.split(':') ?? [],
        canReplace: spoken >= handoverProtocol,
      });
    const error = new QuiesceError(
      'boot-failed',
      `The process that keeps the sockets of this site (pid ${process.ppid}) is of another version of quiesce: it speaks version ${version}, and this one ${keeperProtocol}. ` +
        'It alone needs a stop: quiesce stop, then quiesce start',
    );
    // In every version a keeper understands this.
    process.send({ keeper: 1, type: 'ending', error: { code: error.code, message: error.message } });
    throw error;
  }

  private constructor({
    isOneOfSeveral,
    passed,
    canReplace,
  }: Pick<KeeperLink, 'isOneOfSeveral' | 'passed' | 'canReplace'>) {
    this.isOneOfSeveral = isOneOfSeveral;
    this.passed = passed;
    this.canReplace = canReplace;
    process.on('message', (raw: unknown, handle: unknown) => this.#receive(raw, handle as Handle | undefined));
    process.on('disconnect', () => this.lost());
    // The two listeners keep the channel open, and an open channel keeps the process alive.
    process.channel?.unref();
    this.send({ type: 'beat' });
    setInterval(() => this.send({ type: 'beat' }), beatEvery).unref();
  }

  send(message: Outgoing<ToKeeper>, handle?: Handle): void {
    if (!process.connected) return;
    process.send!({ keeper: 1, ...message }, handle as unknown as SendHandle, {}, () => undefined);
  }

  /** Calls `listener` with each signal that the keeper got. `early`: it came before this call. */
  onSignal(listener: (signal: string, early: boolean) => void): void {
    this.#onSignal = listener;
    for (const signal of this.#early.splice(0)) listener(signal, true);
  }

  /** What the keeper says about a handover, also what it has said before this call. */
  onOrder(listener: (order: Order) => void): void {
    this.#onOrder = listener;
    for (const order of this.#earlyOrders.splice(0)) listener(order);
  }

  /** Resolves when the keeper has closed every socket, is gone, or does not answer in time. */
  closeAll(): Promise<void> {
    return new Promise((resolve) => {
      // A keeper that is gone need not answer: its sockets are closed.
      const timer = setTimeout(resolve, patience);
      this.#onClosed = () => {
        clearTimeout(timer);
        resolve();
      };
      if (process.connected) this.send({ type: 'close-all' });
      else this.#onClosed();
    });
  }

  #receive(raw: unknown, handle: Handle | undefined): void {
    const parsed = fromKeeper.safeParse(raw);
    if (!parsed.success) {
      const what = `A malformed message from the keeper was dropped: ${z.prettifyError(parsed.error)}`;
      process.emitWarning(what, { code: 'QUIESCE_PROTOCOL' });
      return;
    }
    this.#take(parsed.data, handle);
  }

  #take(message: FromKeeper, handle: Handle | undefined): void {
    switch (message.type) {
      case 'socket':
        if (handle !== undefined) this.sockets.push({ id: message.id, name: message.name, handle });
        return;
      case 'begin':
        return this.#begun(message);
      case 'take':
        return this.#taken(message.former);
      case 'signal':
        if (this.#onSignal === null) this.#early.push(message.signal);
        else this.#onSignal(message.signal, false);
        return;
      case 'closed':
        return this.#onClosed();
      case 'former-gone':
      case 'successor-prepared':
      case 'successor-failed':
      case 'refused':
      case 'leave':
        if (this.#onOrder === null) this.#earlyOrders.push(message);
        else this.#onOrder(message);
        return;
      default:
        message satisfies never;
    }
  }
}

/** What happened when the keeper with this pid has gone, and what to do. */
export function keeperLost(pid: number): string {
  return `The process that keeps the sockets of this site (pid ${pid}) has ended, and the primary ends with it. Start the site again.`;
}
