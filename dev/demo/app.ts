/** The app of the demo: an ordinary Express app with three lines of quiesce in it. */
import { setTimeout as delay } from 'node:timers/promises';
import express from 'express';
import { gate, listen, mirror } from 'quiesce';
import { tellSlot } from '../cluster/slot-header.ts';
import { now } from './clock.ts';

const app = express();
app.use(tellSlot);
app.get('/livez', (_req, res) => void res.send('ok'));
app.use(gate());
app.get('/orders', async (_req, res) => {
  const began = now();
  await delay(5 + Math.random() * 45);
  res.json({ began, ended: now() });
});
app.use('/api/sync', mirror({ collection: 'resources', key: 'id' }));
listen(app);
