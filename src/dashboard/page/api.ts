/** Sends orders to the admin interface. */

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
export async function post(path: string, body: unknown, token: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refusal('no-primary', 0, 'The primary cannot be reached, or ended before it answered.');
  }
  const answer = (await response.json().catch(() => ({}))) as { code?: string; detail?: string };
  if (response.ok) return answer;
  throw new Refusal(answer.code ?? 'internal', response.status, answer.detail ?? `It answered ${response.status}.`);
}
