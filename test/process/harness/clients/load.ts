/** Clients that ask again and again, and what comes of it. */
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** What comes of a request: a status, or the code of its failure. */
export function ask(where: http.RequestOptions, agent: http.Agent | false = false): Promise<number | string> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', ...where, agent }, (response) => {
      response.resume();
      response.once('close', () => resolve(response.complete ? response.statusCode! : 'ECONNRESET'));
    });
    request.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

/** Six clients, half of them with a connection for each request, until they are stopped. */
export function load(where: http.RequestOptions): { stop(): Promise<(number | string)[]> } {
  const outcomes: (number | string)[] = [];
  let over = false;
  const clients = Array.from({ length: 6 }, async (_, index) => {
    const agent = index % 2 === 0 && new http.Agent({ keepAlive: true, maxSockets: 1 });
    while (!over) {
      outcomes.push(await ask(where, agent));
      await delay(20); // what is refused is answered at once, and would take the processors from those that boot
    }
    if (agent !== false) agent.destroy();
  });
  return {
    async stop() {
      over = true;
      await Promise.all(clients);
      return outcomes;
    },
  };
}
