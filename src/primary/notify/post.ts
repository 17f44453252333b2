/** Sends one notice once. */
import { createHmac } from 'node:crypto';
import type { Receiver } from '../../config/receivers.ts';
import { bodyOf, type Notice } from './notice.ts';
import type { Outcome } from './queue.ts';

export interface Answer {
  readonly outcome: Outcome;
  /** Without the address, whose path may be a secret. */
  readonly text: string;
}

/** ms */
const timeout = 10_000;

/** As Stripe signs, so that a body cannot be replayed later under a new time. `at` in seconds. */
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
    // A redirect is not followed: it would carry the notice to somebody nobody has named.
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    // Nobody reads the body, and it may have no end.
    await response.body?.cancel().catch(() => undefined);
    return { outcome: outcomeOf(response.status), text: `HTTP ${response.status}` };
  } catch (error) {
    return { outcome: 'failed', text: whyFailed(error) };
  }
}

export function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return 'delivered';
  // Too early, too many: the same may be taken later.
  return status >= 500 || status === 408 || status === 425 || status === 429 ? 'failed' : 'refused';
}

function whyFailed(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string; message?: string } };
  if (name === 'TimeoutError') return `no answer within ${timeout / 1_000} s`;
  return cause?.code ?? cause?.message ?? name ?? 'it cannot be reached';
}
