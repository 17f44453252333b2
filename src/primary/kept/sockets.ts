/**
 * Gives the sockets that the workers listen on to the keeper as well.
 *
 *   new      node:cluster wants a socket that does not exist: it is created and given to the keeper.
 *   used     workers listen on it.
 *   waiting  no worker listens on it. If no worker serves at all, connections wait in the kernel's queue for the next
 *            worker. If workers serve on other sockets, the app has moved, and this socket is closed at once.
 *   closed   after {@link longestWait}, or with the site.
 *
 * With `scheduling: 'os'` node:cluster creates each socket of the workers with `net._createServerHandle` and sends it
 * to them. The name is a legacy of Node 0.12 that every version still has; if a version lacks it, sockets work as they
 * do without a keeper. The keeper does not get a socket that a worker opens for itself (`exclusive`, `reusePort`), a
 * descriptor (`fd`) or UDP. A socket of the service manager is used where the app listens on its address; it stays open, and
 * the keeper has it already.
 */
import { linkSync, rmSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Handle, SocketName } from '../../protocol/keeper/messages.ts';
import type { KeptSocket } from './link.ts';
import type { PassedSocket } from './passed.ts';

/**
 * How long a socket waits for a worker, ms: as long as a worker may take to boot. A client gets no answer meanwhile.
 */
const longestWait = 30_000;
/** The longest path of a Unix socket on Linux, unix(7), without the NUL. */
const longestPath = 107;

type Make = (address: string | null, port: number, addressType: number, fd?: number, flags?: number) => Handle | number;

export interface SocketKeeper {
  readonly sockets: readonly KeptSocket[];
  send(message: { type: 'keep'; id: string; name: SocketName } | { type: 'close'; id: string }, handle?: Handle): void;
  closeAll(): Promise<void>;
}

interface Socket extends KeptSocket {
  /** The original `handle.close`. The one that node:cluster calls does not close the socket. */
  readonly close: () => void;
  isUsed: boolean;
  timer: NodeJS.Timeout | undefined;
}

export class KeptSockets {
  readonly #keeper: SocketKeeper;
  readonly #wait: number;
  readonly #sockets = new Set<Socket>();
  readonly #passed: readonly PassedSocket[];
  readonly #served = new Set<PassedSocket>();
  #made = 0;
  #isYielded = false;

  constructor(keeper: SocketKeeper, wait: number = longestWait, passed: readonly PassedSocket[] = []) {
    this.#passed = passed;
    this.#keeper = keeper;
    this.#wait = wait;
    for (const { id, name, handle } of keeper.sockets) this.#letWait(this.#add(id, name, handle));
  }

  /** Those of the service manager on which no worker has listened. */
  get unserved(): PassedSocket[] {
    return this.#passed.filter((each) => !this.#served.has(each));
  }

  /** Must be called before the first fork. Returns a function that undoes it. */
  install(): () => void {
    const hooked = net as unknown as { _createServerHandle?: Make };
    const make = hooked._createServerHandle;
    if (typeof make !== 'function') return () => undefined;
    hooked._createServerHandle = (...args) => this.take(make, ...args);
    return () => void (hooked._createServerHandle = make);
  }

  /** Returns the handle for node:cluster: one that waits, or a new one. */
  take(make: Make, ...args: Parameters<Make>): Handle | number {
    const [address, port, addressType, fd, flags = 0] = args;
    if (typeof addressType !== 'number' || (fd !== undefined && fd >= 0)) return make(...args);
    const name: SocketName = { address, port, addressType, flags };
    const passed = this.#passed.find((each) => each.isOf(name));
    if (passed !== undefined) {
      this.#served.add(passed);
      passed.handle.close = () => undefined; // by node:cluster, when its last worker is gone
      return passed.handle;
    }
    const waiting = [...this.#sockets].find((each) => !each.isUsed && isSame(each.name, name));
    if (waiting !== undefined) {
      clearTimeout(waiting.timer);
      waiting.isUsed = true;
      return waiting.handle;
    }
    const handle = addressType === -1 ? makeUnix(make, args) : make(...args);
    // A port in use is reported only at listen(); until then the handle has no port. Such a handle is not kept.
    if (typeof handle === 'number' || (port > 0 && boundTo(handle) !== port)) return handle;
    const socket = this.#add(`${process.pid}.${++this.#made}`, name, handle);
    socket.isUsed = true;
    this.#keeper.send({ type: 'keep', id: socket.id, name }, handle);
    return handle;
  }

  /** They are those of another primary now: whatever is closed here, they live on. */
  yield(): void {
    this.#isYielded = true;
  }

  /**
   * Closes every socket: connections are refused from now on, unless another primary has the sockets. Resolves when the
   * keeper has closed its copies too.
   */
  async closeAll(): Promise<void> {
    for (const socket of this.#sockets) this.#close(socket, false);
    if (!this.#isYielded) await this.#keeper.closeAll();
  }

  #add(id: string, name: SocketName, handle: Handle): Socket {
    const socket: Socket = { id, name, handle, close: handle.close.bind(handle), isUsed: false, timer: undefined };
    this.#sockets.add(socket);
    // node:cluster closes the handle when its last worker is gone.
    handle.close = () => this.#release(socket);
    return socket;
  }

  #release(socket: Socket): void {
    if (!socket.isUsed) return;
    socket.isUsed = false;
    this.#letWait(socket);
    // A worker that ends releases its sockets one after the other: decide after the last one.
    setImmediate(() => {
      if (!socket.isUsed && [...this.#sockets].some(({ isUsed }) => isUsed)) this.#close(socket);
    });
  }

  #letWait(socket: Socket): void {
    socket.timer = setTimeout(() => this.#close(socket), this.#wait).unref();
  }

  #close(socket: Socket, tell = true): void {
    if (!this.#sockets.delete(socket)) return;
    clearTimeout(socket.timer);
    socket.close();
    if (this.#isYielded) return;
    const { address, addressType } = socket.name;
    if (addressType === -1 && address !== null && !isAbstract(address)) rmSync(address, { force: true });
    if (tell) this.#keeper.send({ type: 'close', id: socket.id });
  }
}

function isSame(one: SocketName, other: SocketName): boolean {
  return (Object.keys(one) as (keyof SocketName)[]).every((key) => one[key] === other[key]);
}

function isAbstract(address: string): boolean {
  return address.startsWith('\0');
}

/** The port that the handle is bound to; -1 if unknown. */
function boundTo(handle: Handle): number {
  const address: { port?: number } = {};
  handle.getsockname?.(address);
  return address.port ?? -1;
}

/**
 * The process that bound a Unix socket removes the socket's file when it ends. This socket may live on under another
 * primary, so it is bound under a temporary name.
 */
function makeUnix(make: Make, [address, ...rest]: Parameters<Make>): Handle | number {
  if (address === null || isAbstract(address)) return make(address, ...rest);
  const bound = `${path.resolve(address)}.${process.pid}`;
  if (Buffer.byteLength(bound) > longestPath) return make(address, ...rest);
  const handle = make(bound, ...rest);
  if (typeof handle === 'number') return handle;
  try {
    linkSync(bound, address); // not a rename: that would replace a file of another process
    unlinkSync(bound);
    return handle;
  } catch {
    handle.close();
    return make(address, ...rest); // returns the reason if this fails too
  }
}
