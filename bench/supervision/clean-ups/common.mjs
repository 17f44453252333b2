/** What each of these apps does at its end: something that takes 200 ms, then a mark with pid and time. */
import { appendFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export const port = Number(process.env.PORT);
export const signals = ['SIGINT', 'SIGTERM'];

export function mark() {
  appendFileSync(process.env.MARKS, `${process.pid} ${Date.now()}\n`);
}

export async function tidy() {
  await delay(200);
  mark();
}

export function onSignal(cleanUp) {
  for (const signal of signals) process.once(signal, () => void cleanUp(signal));
}
