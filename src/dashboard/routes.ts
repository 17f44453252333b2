/** The page and its files, for the admin server. All that it shows and does goes through the admin interface. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import express, { Router, type RequestHandler } from 'express';

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
    // The files are small and near; an old page beside a new primary would be the dearer thing.
    response.set({ 'Content-Security-Policy': policy, 'Cache-Control': 'no-cache' });
    next();
  };
  const page = readFileSync(new URL('static/index.html', import.meta.url));
  router.get('/', headers, (_request, response) => void response.type('html').send(page));
  router.use('/assets', headers);
  const options = { index: false, cacheControl: false } as const;
  for (const folder of ['static', 'page']) {
    router.use('/assets', express.static(fileURLToPath(new URL(folder, import.meta.url)), options));
  }
  const uplot = fileURLToPath(new URL('.', import.meta.resolve('uplot/dist/uPlot.esm.js')));
  router.get('/assets/vendor/uPlot.esm.js', (_request, response) =>
    response.sendFile('uPlot.esm.js', { root: uplot, cacheControl: false }),
  );
  router.get('/assets/uPlot.min.css', (_request, response) =>
    response.sendFile('uPlot.min.css', { root: uplot, cacheControl: false }),
  );
  return router;
}
