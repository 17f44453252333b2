import express from 'express';
import gracefulShutdown from 'http-graceful-shutdown';
import { port, tidy } from './common.mjs';

const app = express();
app.get('/', (_req, res) => void res.send('hello'));
gracefulShutdown(app.listen(port), { signals: 'SIGINT SIGTERM', timeout: 9_000, onShutdown: tidy });
