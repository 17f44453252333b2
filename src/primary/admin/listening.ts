/** Starts and ends an HTTP server. */
import type http from 'node:http';

/** Resolves when the server listens. Must be called before `listen`. */
export function opened(server: http.Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** How long an answer in progress, such as that of `stop`, may take to be sent, ms. */
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
