/** The headers that a user may send to the server of a feed. */
import { validateHeaderName, validateHeaderValue } from 'node:http';

/** Whether a header can have this name and this value. */
export function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
    return true;
  } catch {
    return false;
  }
}

/** Whether the server may answer with less than the whole because of it: 206, 304 or 412. */
export function isCondition(name: string): boolean {
  return /^(if-(match|none-match|modified-since|unmodified-since|range)|range)$/i.test(name);
}

/** Whether it controls the transfer itself, so that a user must not set it. */
export function isTransferHeader(name: string): boolean {
  return /^(connection|content-length|expect|transfer-encoding|upgrade|te|trailer)$/i.test(name);
}
