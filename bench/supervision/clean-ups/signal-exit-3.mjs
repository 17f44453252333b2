import express from 'express';
import onExit from 'signal-exit-3';
import { mark, port } from './common.mjs';

const app = express();
app.get('/', (_req, res) => void res.send('hello'));
app.listen(port);
onExit(mark);
