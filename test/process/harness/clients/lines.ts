/**
 * Requests as a client writes them: begun without a body, sent in parts, left in the middle. A line is a connection
 * that is kept alive, and therefore reaches one and the same worker as long as the server keeps it.
 */
import http from 'node:http';
import { Readable } from 'node:stream';
import { slotHeader } from '../../../../dev/cluster/slot-header.ts';
import { faultsOf } from '../described.ts';

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
  /** The worker that answered; -1 where it does not say. */
  readonly slot: number;
}

export interface Message {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | Readable;
}

/** A request whose headers are on their way, and whose body is the caller's to write. */
export interface Begun {
  readonly request: http.ClientRequest;
  /** Its headers have come: the handler is at work, or done. */
  readonly answered: Promise<void>;
  readonly reply: Promise<Reply>;
}

export const json = { 'Content-Type': 'application/json' } as const;

export function begin(
  url: string,
  { method = 'GET', headers = {}, agent }: Omit<Message, 'body'> & { agent?: http.Agent } = {},
): Begun {
  const request = http.request(url, { method, headers, agent: agent ?? false });
  // A server may answer and close before it has read the body: the answer counts, not the reset that follows it.
  const response = new Promise<http.IncomingMessage>((resolve, reject) => {
    request.on('response', resolve);
    request.on('error', reject);
  });
  const reply = response.then(read).then((answer) => asDescribed(method, url, answer));
  reply.catch(() => {}); // it may be nobody's turn to wait for it when it rejects
  request.flushHeaders();
  return { request, reply, answered: response.then(() => {}) };
}

function read(response: http.IncomingMessage): Promise<Reply> {
  return new Promise((resolve, reject) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    response.on('error', reject);
    response.on('end', () => {
      const { statusCode: status = 0, headers } = response;
      resolve({ status, headers, text, slot: Number(headers[slotHeader] ?? -1) });
    });
  });
}

/** What an app of a test answers beside `/api` is its own business. */
function asDescribed(method: string, url: string, answer: Reply): Reply {
  const { pathname } = new URL(url);
  const faults = pathname.startsWith('/api/') ? faultsOf({ method, path: pathname, ...answer }) : [];
  if (faults.length === 0) return answer;
  throw new Error(`an answer is not as docs/openapi.json has it: ${faults.join('; ')}`);
}

export function send(url: string, message: Message & { agent?: http.Agent } = {}): Promise<Reply> {
  const { body, headers = {}, ...rest } = message;
  const known = typeof body === 'string' || body instanceof Uint8Array;
  const length = known ? { 'Content-Length': String(Buffer.byteLength(body)) } : {};
  const { request, reply } = begin(url, { ...rest, headers: { ...length, ...headers } });
  if (body instanceof Readable) body.pipe(request);
  else request.end(body);
  return reply;
}

/** The problem document in an answer. Throws where it has none. */
export function problemIn({ status, headers, text }: Reply): Record<string, unknown> & { code: string } {
  if (headers['content-type'] !== 'application/problem+json')
    throw new Error(`${status} ${headers['content-type']}, which is no problem document: ${text}`);
  return JSON.parse(text) as Record<string, unknown> & { code: string };
}

export class Line {
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
  readonly #url: string;
  slot = -1;

  constructor(url: string) {
    this.#url = url;
  }

  begin(path: string, message: Omit<Message, 'body'> = {}): Begun {
    return begin(this.#url + path, { ...message, agent: this.#agent });
  }

  async send(path: string, message: Message = {}): Promise<Reply> {
    const reply = await send(this.#url + path, { ...message, agent: this.#agent });
    this.slot = reply.slot;
    return reply;
  }

  close(): void {
    this.#agent.destroy();
  }
}

const batch = 8;

/**
 * Lines to the workers of these slots, in this order. Which worker takes a connection is not ours to choose, so they
 * are opened until each of these has taken one.
 *
 * @param path answered by the app with the header of slot-header.ts, whatever the gates do
 */
export async function linesTo(url: string, slots: readonly number[], path = '/livez'): Promise<Line[]> {
  const deadline = Date.now() + 30_000;
  const bySlot = new Map<number, Line>();
  const surplus: Line[] = [];
  while (slots.some((slot) => !bySlot.has(slot))) {
    if (Date.now() > deadline) throw new Error(`only the workers ${[...bySlot.keys()].join(', ')} take connections`);
    const opened = Array.from({ length: batch }, () => new Line(url));
    await Promise.all(opened.map((line) => line.send(path)));
    for (const line of opened) {
      if (slots.includes(line.slot) && !bySlot.has(line.slot)) bySlot.set(line.slot, line);
      else surplus.push(line);
    }
  }
  for (const line of surplus) line.close();
  return slots.map((slot) => bySlot.get(slot)!);
}
