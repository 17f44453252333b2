/** The token that changes over TCP need. It is in `admin.token`, readable only by the owner of the data directory. */
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { bearerOf, isSameToken } from '../../bearer.ts';
import { writeWhole } from '../data-dir/durable.ts';

const tokenFile = (dataDir: string): string => path.join(dataDir, 'admin.token');

/** Reads the token, or makes one if there is none. Call with the lock held. */
export async function adminToken(dataDir: string): Promise<string> {
  const file = tokenFile(dataDir);
  try {
    chmodSync(file, 0o600);
    const token = readFileSync(file, 'utf8').trim();
    if (token.length >= 16) return token;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const token = randomBytes(32).toString('base64url');
  await writeToken(dataDir, token);
  return token;
}

export async function writeToken(dataDir: string, token: string): Promise<void> {
  await writeWhole(tokenFile(dataDir), `${token}\n`);
}

/** Whether an `Authorization` header carries the token. */
export function carriesToken(header: string | undefined, token: string): boolean {
  return isSameToken(bearerOf(header) ?? '', token);
}
