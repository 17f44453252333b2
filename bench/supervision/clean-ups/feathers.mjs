import express from '@feathersjs/express';
import { feathers } from '@feathersjs/feathers';
import { onSignal, port, tidy } from './common.mjs';

const app = express.default(feathers());
app.get('/', (_req, res) => void res.send('hello'));
await app.listen(port);
onSignal(async () => {
  await app.teardown();
  await tidy();
  process.exit(0);
});
