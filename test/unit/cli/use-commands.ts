import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { startAdminServer } from '#quiesce/primary/admin/server.js';
import type { Lock } from '#quiesce/primary/data-dir/held-lock.js';
import { acquireLock } from '#quiesce/primary/data-dir/lock.js';
import { FakeOperations, liveOf } from '../primary/admin/fake-operations.ts';

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export const main = fileURLToPath(new URL('../../../../dist/cli/main.js', import.meta.url));
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

type Handler = (request: http.IncomingMessage, response: http.ServerResponse, body: Buffer) => void;
type Run = (
  args: readonly string[],
  options: { cwd: string; input?: string | Buffer; env?: Record<string, string> },
) => Promise<Ended>;

/** In a `describe`: the command, and primaries and apps of the test's own process for it to talk to. */
export function useCommands(): {
  run: Run;
  primary: (dataDir: string, held?: Lock) => Promise<FakeOperations>;
  app: (answer: Handler, refuseFirst?: boolean) => Promise<string>;
} {
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const step of undo.splice(0).reverse()) await step();
  });

  function run(
    args: readonly string[],
    options: { cwd: string; input?: string | Buffer; env?: Record<string, string> },
  ): Promise<Ended> {
    return new Promise((resolve) => {
      const env = { ...process.env, NO_COLOR: '1', QUIESCE_DATA_DIR: '', QUIESCE_SYNC_TOKEN: '', ...options.env };
      const child = execFile(process.execPath, [main, ...args], { cwd: options.cwd, env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(options.input ?? '');
    });
  }

  async function primary(dataDir: string, held?: Lock): Promise<FakeOperations> {
    const operations = new FakeOperations();
    const lock = held ?? (await acquireLock(dataDir, { lost: () => undefined }));
    const server = await startAdminServer({ dataDir, admin: null, operations, live: liveOf(operations), log: silent });
    undo.push(
      () => lock.release(),
      () => server.close(),
    );
    operations.stop = () => {
      setImmediate(() => void server.close().then(() => lock.release()));
    };
    return operations;
  }

  async function app(
    answer: (request: http.IncomingMessage, response: http.ServerResponse, body: Buffer) => void,
    refuseFirst = false,
  ): Promise<string> {
    const handle = (request: http.IncomingMessage, response: http.ServerResponse): void => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => answer(request, response, Buffer.concat(chunks)));
    };
    const server = http.createServer(handle);
    if (refuseFirst) server.on('checkContinue', (request, response) => answer(request, response, Buffer.alloc(0)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo.push(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  return { run, primary, app };
}
