/**
 * The same Express app under every supervisor. READY_FILE gets a line, `<time> <pid> <ms since the start
 * of the process>`, when it listens.
 *
 * GATE=1: with quiesce's gate. GRACEFUL=1: closes its server on SIGINT, as PM2 asks of an app.
 * GET /?ms= answers after so long; GET /change tells what CHANGE is; GET /lines?then=exit|throw|kill prints 2,000 lines and ends.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';

const app = express();
if (process.env['GATE'] === '1') app.use((await import('quiesce')).gate());
app.get('/', async (req, res) => {
  const ms = Number(req.query['ms'] ?? 0);
  if (ms > 0) await delay(ms);
  res.json({ pid: process.pid });
});
app.get('/change', (_req, res) => void res.send(process.env['CHANGE'] ?? ''));
app.get('/lines', (req) => {
  for (let line = 0; line < 2_000; line++) console.log(`line ${line} ${'x'.repeat(80)}`);
  if (req.query['then'] === 'exit') process.exit(1);
  if (req.query['then'] === 'kill') process.kill(process.pid, 'SIGKILL');
  setImmediate(() => {
    throw new Error('thrown after the lines');
  });
});
const server = app.listen(Number(process.env['PORT']), '127.0.0.1', () => {
  if (process.env['READY_FILE'])
    appendFileSync(process.env['READY_FILE'], `${Date.now()} ${process.pid} ${performance.now()}\n`);
});
if (process.env['GRACEFUL'] === '1') process.on('SIGINT', () => server.close(() => process.exit(0)));
