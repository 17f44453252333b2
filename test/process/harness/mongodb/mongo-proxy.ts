/** Stands between a cluster and MongoDB, and can make MongoDB fall silent, so that whatever waits for it waits, or go away. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { freePort } from '../../../../dev/free-port.ts';

export class MongoProxy {
  readonly uri: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  #silent = false;
  #losing: { readonly text: string; readonly before: () => Promise<void> | void } | null = null;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
    const { port } = server.address() as AddressInfo;
    // Directly: a replica set would tell the driver where its members really are.
    this.uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  }

  /** `onSent` is told what each connection sends, as it comes. */
  static async start(target: string, onSent?: (from: Socket, chunk: Buffer) => void): Promise<MongoProxy> {
    const { hostname, port } = new URL(target);
    const sockets = new Set<Socket>();
    let proxy: MongoProxy | undefined;
    const server = createServer((client) => {
      const mongod = connect(Number(port), hostname);
      let onLost: (() => Promise<void> | void) | null = null;
      const pass = (from: Socket, chunk: Buffer): void => {
        const losing = proxy === undefined ? null : proxy.#losing;
        if (proxy !== undefined && losing !== null && from === client && chunk.includes(losing.text)) {
          onLost = losing.before;
          proxy.#losing = null;
        }
        if (from === client) onSent?.(client, chunk);
        if (from === client) mongod.write(chunk);
        else if (onLost === null) client.write(chunk);
        else void Promise.resolve(onLost()).finally(() => client.destroy());
      };
      for (const [from, to] of [
        [client, mongod],
        [mongod, client],
      ] as const) {
        sockets.add(from);
        from.on('data', (chunk: Buffer) => pass(from, chunk));
        from.on('error', () => {}); // `close` follows
        from.on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
        if (proxy !== undefined && proxy.#silent) from.pause();
      }
    });
    server.listen(await freePort(), '127.0.0.1');
    await once(server, 'listening');
    proxy = new MongoProxy(server, sockets);
    return proxy;
  }

  silence(): void {
    this.#silent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  speak(): void {
    this.#silent = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /**
   * MongoDB does the next command with this text in it, and its reply never arrives: the connection is cut in its place,
   * after `before` has been waited for.
   */
  loseReplyTo(text: string, before: () => Promise<void> | void = () => {}): void {
    this.#losing = { text, before };
  }

  /** Nothing listens any more; until {@link MongoProxy.comeBack}. */
  async goAway(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async comeBack(): Promise<void> {
    this.#server.listen(Number(new URL(this.uri).port), '127.0.0.1');
    await once(this.#server, 'listening');
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.goAway();
  }
}
