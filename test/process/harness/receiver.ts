/** A server that is sent notices. */
import http from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  readonly received: readonly Received[];
  /** Each notice once. A primary that was killed may send again what had arrived: it could not note that. */
  readonly notices: readonly Received[];
  close(): Promise<void>;
}

const idOf = ({ headers }: Received) => headers['quiesce-notice'];

/** @param answer answers for it; 204 by default */
export async function startReceiver(
  answer: (response: http.ServerResponse, received: Received) => void = (response) =>
    void response.writeHead(204).end(),
  port = 0,
): Promise<Receiver> {
  const received: Received[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      const got = { path: request.url ?? '', headers: request.headers, body };
      received.push(got);
      answer(response, got);
    });
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${bound}/hook`,
    port: bound,
    received,
    get notices() {
      return received.filter((each, place) => received.findIndex((first) => idOf(first) === idOf(each)) === place);
    },
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
