/** Sends orders to the admin interface, and reads a run from it. */
import type { RunRecord } from '#quiesce/protocol/api/runs.js';

/** A refusal, with its code and what to do about it. */
export class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, detail: string) {
    super(detail);
    this.code = code;
    this.status = status;
  }
}

/** @throws Refusal */
export function post(path: string, body: unknown, token: string): Promise<unknown> {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` };
  return send(path, { method: 'POST', headers, body: JSON.stringify(body) });
}

/** @throws Refusal */
export async function getRun(id: string): Promise<RunRecord> {
  return (await send(`/api/runs/${encodeURIComponent(id)}`, {})) as RunRecord;
}

async function send(path: string, request: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, request);
  } catch {
    throw new Refusal('no-primary', 0, 'The primary cannot be reached, or ended before it answered.');
  }
  const answer = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  if (response.ok) return answer;
  throw new Refusal(answer.code ?? 'internal', response.status, answer.detail ?? `It answered ${response.status}.`);
}
