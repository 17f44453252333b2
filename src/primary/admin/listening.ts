/** How an HTTP server begins to listen, and how it ends. */
import type http from 'node:http';

/** Resolves when it listens; to be called before `listen`. */
export function opened(server: http.Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** How long an answer in progress, such as that of a `stop`, may take to get out, ms. */
const closeGrace = 500;

export function closeServer(server: http.Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), closeGrace);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
