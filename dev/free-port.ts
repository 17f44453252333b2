import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** From here on the system takes the ports of outgoing connections (RFC 6335; Linux begins earlier). */
const ephemeral = 32_768;
const first = 16_384;

/**
 * A TCP port of the loopback address that nobody listens on at this moment. Nor will an outgoing connection take it
 * before it is listened on, or while a process that listens on it is replaced.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(first, ephemeral);
    const probe = createServer().listen(port, '127.0.0.1');
    try {
      await once(probe, 'listening');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') continue;
      throw error;
    }
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
