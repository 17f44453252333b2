/** Verdaccio closes its server at a signal and exits when that has closed, which is its mark. */
import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mark, port } from './common.mjs';

const folder = join(tmpdir(), 'quiesce-bench-verdaccio');
mkdirSync(folder, { recursive: true });
const config = join(folder, 'config.yaml');
writeFileSync(
  config,
  `storage: ${folder}/storage\nauth: {}\npackages:\n  '**':\n    access: $all\nlog: { type: stdout, format: json, level: warn }\n`,
);

const { createServer } = http;
http.createServer = (...args) => createServer(...args).once('close', mark);
process.env.VERDACCIO_HANDLE_KILL_SIGNALS = 'true';
process.argv.splice(2, Infinity, '--listen', `127.0.0.1:${port}`, '--config', config);
// The package exports its library and not its command.
await import(new URL('node_modules/verdaccio/build/lib/cli.mjs', import.meta.url).href);
