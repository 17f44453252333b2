/**
 * Sends a feed by PUT. The body may be large, and the server may refuse it first: `Expect: 100-continue` asks before
 * the body is sent. An answer during the upload is used, even if the server then closes the connection.
 */
import http from 'node:http';
import https from 'node:https';
import { pipeline, Transform } from 'node:stream';
import type { FeedSource } from '../../fetch/feed-kind.ts';
import { QuiesceError } from '../../errors.ts';

/** A server that does not know `Expect` does not answer: the body is sent after this time, ms (RFC 9110, 10.1.1). */
const continueWait = 1000;

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

export function sendFeed(
  url: URL,
  source: FeedSource,
  options: { headers: Readonly<Record<string, string>>; onProgress: (sent: number) => void; onSent: () => void },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let answered = false;
    let sent = 0;
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'PUT',
      headers: { ...source.headers, ...options.headers, Expect: '100-continue' },
    });
    const counter = new Transform({
      transform(chunk: Buffer, _encoding, next) {
        sent += chunk.length;
        options.onProgress(sent);
        next(null, chunk);
      },
    });
    const fail = (cause: NodeJS.ErrnoException): void => {
      if (!answered) reject(explain(cause, url));
    };
    // This listener is the first, so that the cause is reported and not the broken connection that follows from it.
    source.stream.once('error', (cause) => {
      fail(cause);
      request.destroy();
    });
    let begun = false;
    const begin = (): void => {
      if (begun || answered) return;
      begun = true;
      clearTimeout(timer);
      pipeline(source.stream, counter, request, (error) => {
        if (error) fail(error);
        else options.onSent();
      });
    };
    const timer = setTimeout(begin, continueWait);
    request.on('continue', begin);
    request.on('response', (response) => {
      answered = true;
      clearTimeout(timer);
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      const finish = (): void => {
        source.stream.destroy();
        request.destroy();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      };
      response.on('end', finish);
      response.on('error', finish);
    });
    request.on('error', (cause: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      fail(cause);
      source.stream.destroy();
    });
    request.flushHeaders();
  });
}

function explain(cause: NodeJS.ErrnoException, url: URL): QuiesceError {
  if (cause instanceof QuiesceError) return cause;
  if (cause.syscall === 'connect' || cause.syscall === 'getaddrinfo') {
    return new QuiesceError(
      'no-primary',
      `Nothing answers at ${url.origin}: ${cause.message}. Is the app running? Name its address with --url.`,
      { cause },
    );
  }
  if (cause.syscall === 'read' && cause.code === 'EISDIR')
    return new QuiesceError('bad-usage', 'The feed is a folder.', { cause });
  return new QuiesceError(
    'run-failed',
    `The connection to ${url.origin} broke: ${cause.message}. \`quiesce runs\` shows how the run ended.`,
    { cause },
  );
}
