import http from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** The metrics of the primary over this data directory, as text. */
export function scrape(dataDir: string): Promise<string> {
  const socketPath = join(dataDir, 'control.sock');
  return new Promise((resolve, reject) => {
    http.get({ socketPath, path: '/metrics' }, (response) => resolve(text(response))).on('error', reject);
  });
}
