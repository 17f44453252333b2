/** Makes the URLs of the app from the addresses that its workers listen on. */
import type { Address } from 'node:cluster';

/** Null if the address is not a TCP port. An address that means every interface becomes the loopback address. */
export function appUrl({ address, port, addressType }: Address): string | null {
  if (addressType !== 4 && addressType !== 6) return null;
  const everywhere = !address || address === '0.0.0.0' || address === '::';
  if (everywhere) return `http://127.0.0.1:${port}`;
  return addressType === 6 ? `http://[${address}]:${port}` : `http://${address}:${port}`;
}
