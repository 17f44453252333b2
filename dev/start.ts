/** `npm start`: `quiesce start` with the configuration here, and a MongoDB of its own where none is named. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startMongo } from './mongodb/index.ts';

const command = fileURLToPath(import.meta.resolve('#quiesce/cli/main.js'));
const dataDir = join('.quiesce', 'mongodb');

const say = (line: string): void => void process.stderr.write(`${line}\n`);

async function ownMongo(): Promise<{ stop(): Promise<void> } | undefined> {
  if (process.env['MONGODB_URI']) return undefined;
  say(`MONGODB_URI is not set: starting a MongoDB for development, its data in ${dataDir}`);
  const mongo = await startMongo({ dataDir, log: (line) => say(`  ${line}`) });
  process.env['MONGODB_URI'] = mongo.uri.replace('/?', '/quiesce?');
  say(`MongoDB is ready at ${process.env['MONGODB_URI']}`);
  return mongo;
}

try {
  const mongo = await ownMongo();
  try {
    // In this process: a signal reaches the primary itself, and an end of whatever kind is the end of both.
    process.argv = [process.execPath, command, 'start', ...process.argv.slice(2)];
    await import(command);
  } finally {
    await mongo?.stop();
  }
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
