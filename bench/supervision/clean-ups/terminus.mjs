import { createServer } from 'node:http';
import { createTerminus } from '@godaddy/terminus';
import express from 'express';
import { port, signals, tidy } from './common.mjs';

const app = express();
app.get('/', (_req, res) => void res.send('hello'));
const server = createServer(app);
createTerminus(server, { signals, timeout: 9_000, onSignal: tidy });
server.listen(port);
