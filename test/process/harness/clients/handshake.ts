import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Cluster } from '../../../../dev/cluster/cluster.ts';

/** What a client that wants a WebSocket is told. */
export async function handshake({
  url,
}: Pick<Cluster, 'url'>): Promise<{ status: number; retryAfter?: string | undefined }> {
  const socket = new WebSocket(url.replace('http', 'ws'));
  try {
    return await Promise.race([
      once(socket, 'upgrade').then(() => ({ status: 101 })),
      once(
        socket.on('error', () => {}),
        'unexpected-response',
      ).then(([, response]) => {
        const { statusCode, headers } = response as { statusCode: number; headers: Record<string, string> };
        return { status: statusCode, retryAfter: headers['retry-after'] };
      }),
    ]);
  } finally {
    socket.terminate();
  }
}
