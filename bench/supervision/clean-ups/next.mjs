import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import next from 'next';
import { onSignal, port, tidy } from './common.mjs';

const app = next({ dev: false, dir: fileURLToPath(new URL('.', import.meta.url)) });
await app.prepare();
const handle = app.getRequestHandler();
const server = createServer((req, res) => void handle(req, res)).listen(port);
onSignal(async () => {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
  await app.close();
  await tidy();
  process.exit(0);
});
