import express from 'express';
import { createHttpTerminator } from 'http-terminator';
import { onSignal, port, tidy } from './common.mjs';

const app = express();
app.get('/', (_req, res) => void res.send('hello'));
const server = app.listen(port);
const { terminate } = createHttpTerminator({ server });
onSignal(async () => {
  await terminate();
  await tidy();
});
