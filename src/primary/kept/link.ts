/**
 * The primary's end of the channel to its keeper. There is none with `--no-keeper`, or if a site is started from code.
 *
 *   joined → begun (the sockets that a former primary left have arrived) → lost (the keeper has died)
 *
 * A primary that loses its keeper must end at once: the next `start` brings a primary of its own.
 */
import type { SendHandle } from 'node:child_process';
import { z } from 'zod';
import { exitCodes, QuiesceError } from '../../errors.ts';
import { keeperProtocol, keeperVariable, severalVariable } from '../../protocol/keeper-names.ts';
import { fromKeeper } from '../../protocol/keeper.ts';
import type { FromKeeper, Handle, Outgoing, SocketName, ToKeeper } from '../../protocol/keeper.ts';

export interface KeptSocket {
  readonly id: string;
  readonly name: SocketName;
  readonly handle: Handle;
}

const beatEvery = 5_000;
/** How long the keeper may take to answer, ms. */
const patience = 2_000;

export class KeeperLink {
  readonly pid: number = process.ppid;
  readonly isOneOfSeveral: boolean;
  readonly sockets: KeptSocket[] = [];
  /** Called when the keeper has died. */
  lost: () => void = () => process.exit(exitCodes.failed);
  #begun!: (again: boolean) => void;
  /** Whether the site has served before, under another primary. */
  readonly begun: Promise<boolean> = new Promise((resolve) => (this.#begun = resolve));
  #onSignal: ((signal: string, early: boolean) => void) | null = null;
  readonly #early: string[] = [];
  #onClosed = (): void => {};

  /** @throws QuiesceError `boot-failed` if the keeper speaks another version of the protocol */
  static join(): KeeperLink | null {
    const { [keeperVariable]: version, [severalVariable]: several } = process.env;
    delete process.env[keeperVariable];
    delete process.env[severalVariable];
    if (version === undefined || process.send === undefined) return null;
    if (Number(version) === keeperProtocol) return new KeeperLink(several !== undefined);
    throw new QuiesceError(
      'boot-failed',
      `The process that keeps the sockets of this site (pid ${process.ppid}) is of another version of quiesce: it speaks version ${version}, and this one ${keeperProtocol}. ` +
        'It alone needs a stop: quiesce stop, then quiesce start',
    );
  }

  private constructor(isOneOfSeveral: boolean) {
    this.isOneOfSeveral = isOneOfSeveral;
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
        return this.#begun(message.again);
      case 'signal':
        if (this.#onSignal === null) this.#early.push(message.signal);
        else this.#onSignal(message.signal, false);
        return;
      case 'closed':
        return this.#onClosed();
      default:
        message satisfies never;
    }
  }
}
