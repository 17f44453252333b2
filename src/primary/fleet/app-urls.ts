/** Where the app can be reached, from the addresses that its workers listen on. */
import type { Address } from 'node:cluster';

/** Null for what is no TCP port. An address that means every interface is given as the loopback one. */
export function appUrl({ address, port, addressType }: Address): string | null {
  if (addressType !== 4 && addressType !== 6) return null;
  const everywhere = !address || address === '0.0.0.0' || address === '::';
  if (everywhere) return `http://127.0.0.1:${port}`;
  return addressType === 6 ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
