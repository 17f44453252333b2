/** Makes one attempt to send one notice. */
import { createHmac } from 'node:crypto';
import type { Receiver } from '../../config/values/receivers.ts';
import { bodyOf, type Notice } from './notice.ts';
import type { Outcome } from './queue.ts';

export interface Answer {
  readonly outcome: Outcome;
  /** Does not include the address, whose path may be a secret. */
  readonly text: string;
}

/** ms */
const timeout = 10_000;

/**
 * Signs as Stripe does: the signature covers the time, so a body cannot be replayed with a new time. `at` in seconds.
 */
export function signatureOf(secret: string, body: string, at: number): string {
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
}

export async function post(receiver: Receiver, told: Notice, closing: AbortSignal): Promise<Answer> {
  const body = bodyOf(told, receiver.format);
  const { secret, url } = receiver;
  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'User-Agent': 'quiesce',
    'Quiesce-Event': told.event,
    'Quiesce-Notice': told.id,
  };
  if (secret !== null) headers['Quiesce-Signature'] = signatureOf(secret, body, Math.floor(Date.now() / 1_000));
  try {
    const signal = AbortSignal.any([closing, AbortSignal.timeout(timeout)]);
    // A redirect is not followed: it would send the notice to an address that nobody has configured.
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    // The body is not needed, and it may be endless.
    await response.body?.cancel().catch(() => undefined);
    return { outcome: outcomeOf(response.status), text: `HTTP ${response.status}` };
  } catch (error) {
    return { outcome: 'failed', text: whyFailed(error) };
  }
}

export function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return 'delivered';
  // Timeout, too early, too many: the same request may succeed later.
  return status >= 500 || status === 408 || status === 425 || status === 429 ? 'failed' : 'refused';
}

function whyFailed(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `no answer within ${timeout / 1_000} s`;
  return cause?.code ?? cause?.message ?? name ?? 'it cannot be reached';
}
