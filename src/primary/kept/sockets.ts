/**
 * The sockets that the workers listen on, kept by the keeper as well.
 *
 *   new      node:cluster wants a socket that nobody has: it is made, and given to the keeper.
 *   used     workers listen on it.
 *   waiting  none does. Where no worker serves at all, connections wait in the kernel's queue for the next one; where others
 *            serve elsewhere the app has moved, and the socket is closed at once.
 *   closed   after {@link longestWait}, or with the site.
 *
 * With `scheduling: 'os'` node:cluster makes each socket of the workers by `net._createServerHandle`, and hands it to them.
 * The name is a legacy of Node 0.12 that every version still has; where one has not, sockets are as without a keeper. A
 * worker that asks for a socket of its own (`exclusive`, `reusePort`), a descriptor (`fd`) and UDP are the worker's own.
 */
import { linkSync, rmSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { Handle, SocketName } from '../../protocol/keeper.ts';
import type { KeptSocket } from './link.ts';

/** As long as a worker may take to boot, ms: who connects hears nothing meanwhile. */
const longestWait = 30_000;
/** Linux, unix(7), without the NUL. */
const longestPath = 107;

type Make = (address: string | null, port: number, addressType: number, fd?: number, flags?: number) => Handle | number;

export interface SocketKeeper {
  readonly sockets: readonly KeptSocket[];
  send(message: { type: 'keep'; id: string; name: SocketName } | { type: 'close'; id: string }, handle?: Handle): void;
  closeAll(): Promise<void>;
}

interface Socket extends KeptSocket {
  /** `handle.close` as it was: node:cluster's does not close it. */
  readonly close: () => void;
  isUsed: boolean;
  timer: NodeJS.Timeout | undefined;
}

export class KeptSockets {
  readonly #keeper: SocketKeeper;
  readonly #wait: number;
  readonly #sockets = new Set<Socket>();
  #made = 0;

  constructor(keeper: SocketKeeper, wait: number = longestWait) {
    this.#keeper = keeper;
    this.#wait = wait;
    for (const { id, name, handle } of keeper.sockets) this.#letWait(this.#add(id, name, handle));
  }

  /** To be called before the first fork. Returns how to undo it. */
  install(): () => void {
    const hooked = net as unknown as { _createServerHandle?: Make };
    const make = hooked._createServerHandle;
    if (typeof make !== 'function') return () => undefined;
    hooked._createServerHandle = (...args) => this.take(make, ...args);
    return () => void (hooked._createServerHandle = make);
  }

  /** What node:cluster gets in place of a socket of its own. */
  take(make: Make, ...args: Parameters<Make>): Handle | number {
    const [address, port, addressType, fd, flags = 0] = args;
    if (typeof addressType !== 'number' || (fd !== undefined && fd >= 0)) return make(...args);
    const name: SocketName = { address, port, addressType, flags };
    const waiting = [...this.#sockets].find((each) => !each.isUsed && isSame(each.name, name));
    if (waiting !== undefined) {
      clearTimeout(waiting.timer);
      waiting.isUsed = true;
      return waiting.handle;
    }
    const handle = addressType === -1 ? makeUnix(make, args) : make(...args);
    // A port that is taken is known only at listen(): then the socket is bound to none.
    if (typeof handle === 'number' || (port > 0 && boundTo(handle) !== port)) return handle;
    const socket = this.#add(`${process.pid}.${++this.#made}`, name, handle);
    socket.isUsed = true;
    this.#keeper.send({ type: 'keep', id: socket.id, name }, handle);
    return handle;
  }

  /** Connections are refused from now on. Resolves when nobody holds a socket any more. */
  async closeAll(): Promise<void> {
    for (const socket of this.#sockets) this.#close(socket, false);
    await this.#keeper.closeAll();
  }

  #add(id: string, name: SocketName, handle: Handle): Socket {
    const socket: Socket = { id, name, handle, close: handle.close.bind(handle), isUsed: false, timer: undefined };
    this.#sockets.add(socket);
    // node:cluster closes it when its last worker has gone.
    handle.close = () => this.#release(socket);
    return socket;
  }

  #release(socket: Socket): void {
    if (!socket.isUsed) return;
    socket.isUsed = false;
    this.#letWait(socket);
    // A worker that goes leaves all that it listened on, one after the other.
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

/** -1 where that is not known. */
function boundTo(handle: Handle): number {
  const address: { port?: number } = {};
  handle.getsockname?.(address);
  return address.port ?? -1;
}

/**
 * The process that has bound a Unix socket unlinks its name when it ends. This one may live on under another primary, so
 * it is bound under another name.
 */
function makeUnix(make: Make, [address, ...rest]: Parameters<Make>): Handle | number {
  if (address === null || isAbstract(address)) return make(address, ...rest);
  const bound = `${path.resolve(address)}.${process.pid}`;
  if (Buffer.byteLength(bound) > longestPath) return make(address, ...rest);
  const handle = make(bound, ...rest);
  if (typeof handle === 'number') return handle;
  try {
    linkSync(bound, address); // and not a rename: what is there is somebody else's
    unlinkSync(bound);
    return handle;
  } catch {
    handle.close();
    return make(address, ...rest); // which says why it cannot be
  }
}
