/** Serves the page and its files on the admin server. The page uses only the admin interface. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { Router, type RequestHandler } from 'express';

const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');

export function dashboard(): Router {
  const router = Router();
  const headers: RequestHandler = (_request, response, next) => {
    // The files are small, so a cache saves little; an old page with a new primary would be worse.
    response.set({ 'Content-Security-Policy': policy, 'Cache-Control': 'no-cache' });
    next();
  };
  const page = readFileSync(new URL('static/index.html', import.meta.url));
  router.get('/', headers, (_request, response) => void response.type('html').send(page));
  router.use('/assets', headers);
  for (const [name, content] of assets()) {
    const tag = `"${createHash('sha256').update(content).digest('base64url')}"`;
    router.get(`/assets/${name}`, (_request, response) => {
      response.set('ETag', tag).type(extname(name)).send(content);
    });
  }
  return router;
}

/** Reads the files at the start: their release may be removed while the primary runs. */
function assets(): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (const folder of ['static/', 'page/']) {
    const base = new URL(folder, import.meta.url);
    for (const name of readdirSync(base, { recursive: true, encoding: 'utf8' })) {
      if (/\.(js|css|svg)$/.test(name)) files.set(name, readFileSync(new URL(name, base)));
    }
  }
  for (const [name, file] of [
    ['vendor/words.js', '#quiesce/protocol/words.js'],
    ['vendor/mirror-text.js', '#quiesce/protocol/feed/mirror-text.js'],
    ['vendor/eventsource-parser.js', 'eventsource-parser'],
    ['vendor/uPlot.esm.js', 'uplot/dist/uPlot.esm.js'],
    ['uPlot.min.css', 'uplot/dist/uPlot.min.css'],
  ] as const) {
    files.set(name, readFileSync(new URL(import.meta.resolve(file))));
  }
  return files;
}
