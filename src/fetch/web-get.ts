/** Makes the GET request for a feed: follows safe redirects, limits each wait, and explains each failure. */
import http from 'node:http';
import https from 'node:https';
import { QuiesceError } from '../errors.ts';

export interface WebLimits {
  /** The time to connect, ms. */
  readonly connect: number;
  /** The time without a byte, ms. */
  readonly idle: number;
  /** The total time, ms. */
  readonly total: number;
}

/** What a user can change, by the name that is shown in an error. */
export interface Hints {
  readonly timeout: string;
  readonly maxBytes: string;
  readonly headers: string;
}

export interface WebAnswer {
  readonly response: http.IncomingMessage;
  /** The final address, after redirects. */
  readonly url: URL;
}

const maxRedirects = 5;
const redirects: readonly number[] = [301, 302, 303, 307, 308];

/** Returns the address without credentials and query, which may contain a secret. */
export function shown(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`;
}

/** The same for an address that may have a user and a password. */
export function shownAddress(address: string): string {
  return shown(new URL(address));
}

export class WebGet {
  readonly #limits: WebLimits;
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #why: QuiesceError | undefined;
  readonly #start: URL;
  #from: URL;

  constructor(start: URL, limits: WebLimits, hints: Pick<Hints, 'timeout'>) {
    this.#start = start;
    this.#from = start;
    this.#limits = limits;
    this.#timer = setTimeout(
      () => this.#giveUp(`was not complete after ${limits.total} ms. Allow more with ${hints.timeout}`),
      limits.total,
    );
  }

  /** Returns the first answer that is not a redirect; its body is not read yet. */
  async answer(headers: http.OutgoingHttpHeaders): Promise<WebAnswer> {
    this.#from = this.#start;
    let sent = headers;
    for (let followed = 0; ; followed += 1) {
      const from = this.#from;
      const response = await this.#ask(from, sent);
      const { location } = response.headers;
      if (!redirects.includes(response.statusCode ?? 0) || location === undefined) return { response, url: from };
      response.destroy();
      if (followed === maxRedirects) throw failed(from, `redirects more than ${maxRedirects} times`);
      this.#from = targetOf(location, from);
      // Headers for one server, such as Authorization or an API key, must not be sent to another server.
      if (this.#from.origin !== from.origin) sent = {};
    }
  }

  /** Turns a failure while waiting for the answer, or reading it, into an error with an explanation. */
  explain(cause: unknown): QuiesceError {
    if (cause instanceof QuiesceError) return cause;
    return this.#why ?? failed(this.#from, reasonOf(cause as NodeJS.ErrnoException), cause);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #ask(url: URL, headers: http.OutgoingHttpHeaders): Promise<http.IncomingMessage> {
    const isSecure = url.protocol === 'https:';
    return new Promise((resolve, reject) => {
      const request = (isSecure ? https : http).get(url, {
        agent: false,
        signal: this.#abort.signal,
        headers: {
          Accept: 'application/json, application/x-ndjson, */*;q=0.5',
          'Accept-Encoding': 'gzip, br',
          ...headers,
        },
      });
      const connecting = setTimeout(
        () => this.#giveUp(`cannot be reached: no connection after ${this.#limits.connect} ms`),
        this.#limits.connect,
      );
      request.once('socket', (socket) =>
        socket.once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(connecting)),
      );
      request.once('close', () => clearTimeout(connecting));
      request.setTimeout(this.#limits.idle, () => this.#giveUp(`sent nothing for ${this.#limits.idle} ms`));
      request.once('response', resolve);
      request.on('error', (cause) => reject(this.explain(cause)));
    });
  }

  #giveUp(why: string): void {
    this.#why ??= failed(this.#from, why);
    this.#abort.abort();
  }
}

export function failed(url: URL, what: string, cause?: unknown): QuiesceError {
  return new QuiesceError('fetch-failed', `The feed at ${shown(url)} ${what}. Nothing was sent to the app.`, { cause });
}

function targetOf(location: string, from: URL): URL {
  if (!URL.canParse(location, from.href)) throw failed(from, 'redirects to an address that cannot be understood');
  const to = new URL(location, from);
  to.username = '';
  to.password = '';
  if (!/^https?:$/.test(to.protocol))
    throw failed(from, `redirects to ${to.protocol}, which is neither http nor https`);
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw failed(from, `redirects from https to ${shown(to)}, where anybody on the way could change it`);
  return to;
}

const unknownAuthority =
  'has a certificate of an authority that Node does not know. If it is your own, name its file in NODE_EXTRA_CA_CERTS';
const certificateFaults: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has a certificate that has expired. Have it renewed there, or set the clock right here',
  CERT_NOT_YET_VALID: 'has a certificate that is not valid yet. Wait, or set the clock right here',
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a certificate for another name. Use the name that it is made for',
  DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT: unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
};

function reasonOf({ code = '', message }: NodeJS.ErrnoException): string {
  const certificate = certificateFaults[code];
  if (certificate !== undefined) return `${certificate} (${code})`;
  if (code === 'EPROTO') return 'does not speak TLS there. Is it http, not https?';
  if (code === 'ENOTFOUND') return 'cannot be reached: no host has this name';
  if (code === 'ECONNRESET') return 'was cut off: the connection ended before the feed was complete';
  // If all of several addresses failed, the error has only a code.
  return `cannot be fetched: ${message || code}`;
}
