/** As https://expressjs.com/en/advanced/healthcheck-graceful-shutdown.html has it: it closes its server and does not exit. */
import express from 'express';
import { port, signals, tidy } from './common.mjs';

const app = express();
app.get('/', (_req, res) => void res.send('hello'));
const server = app.listen(port);
for (const signal of signals) process.on(signal, () => void server.close(() => void tidy()));
