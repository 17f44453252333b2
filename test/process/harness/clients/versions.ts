import { setTimeout as delay } from 'node:timers/promises';

/** A feed whose every item carries its version. */
export async function putVersion(
  url: string,
  version: number,
  items = 3_000,
): Promise<{ status: number; ms: number; text: string }> {
  const started = performance.now();
  const feed = Array.from({ length: items }, (_, id) => ({ id, version, text: 'x'.repeat(200) }));
  const response = await fetch(`${url}/api/sync`, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(feed),
  });
  return { status: response.status, text: await response.text(), ms: performance.now() - started };
}

/** Clients that look at each page they get: all of its items come from one feed. */
export class Readers {
  pages = 0;
  readonly mixed: unknown[] = [];
  readonly #loops: Promise<void>[];
  #running = true;

  constructor(url: string) {
    this.#loops = [0, 1].map((reader) => this.#read(`${url}/api/resources?limit=1000&after=${reader * 900}`));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#loops);
  }

  async #read(url: string): Promise<void> {
    while (this.#running) {
      try {
        const response = await fetch(url);
        const page = (await response.json()) as { items?: { version: number }[] };
        if (response.ok && page.items) {
          this.pages++;
          const versions = new Set(page.items.map(({ version }) => version));
          if (versions.size > 1) this.mixed.push([...versions]);
        }
      } catch {
        // Nobody answers while the primary is gone.
      }
      await delay(20);
    }
  }
}
