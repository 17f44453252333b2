/** Writes a Dockerfile for an app. */
import path from 'node:path';
import { startArguments, type StartupPlan } from './plan.ts';
import { QuiesceError } from '../../errors.ts';

/** Paths in the image are relative to the project's folder, which is copied to /app. */
export function dockerfile(plan: StartupPlan): string {
  const { app, project, main, stopTimeout } = plan;
  const relative = (file: string): string => {
    const inside = path.relative(project, file);
    if (!inside.startsWith('..') && !path.isAbsolute(inside)) return inside;
    throw new QuiesceError('bad-usage', `${file} lies outside ${project}, so that it would not be in the image.`);
  };
  relative(app.script);
  const own = path.relative(project, main);
  const cli = own.startsWith('..') ? 'node_modules/quiesce/dist/cli/main.js' : own;
  const state = plan.dataDir ?? '/var/lib/quiesce';
  const exec = (words: readonly string[]): string => JSON.stringify(words).replaceAll('","', '", "');
  const port = app.env['PORT'];
  const lines = [
    `FROM node:${process.versions.node.split('.')[0]}-bookworm-slim`,
    '# As PID 1 tini passes signals on and reaps what the app leaves behind; Node does neither for processes it does not know.',
    'RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*',
    // A server on loopback cannot be reached from outside a container.
    `ENV NODE_ENV=production HOST=${app.env['HOST'] ?? '0.0.0.0'} QUIESCE_DATA_DIR=${state}`,
    'WORKDIR /app',
    'COPY package*.json ./',
    'RUN npm ci --omit=dev',
    'COPY . .',
    `RUN install -d -o node -g node -m 0700 ${state}`,
    '# A volume: the operator hold, the history and an interrupted run outlive the container.',
    `VOLUME ${state}`,
    'USER node',
    ...(port === undefined || !/^\d+$/.test(port) ? [] : [`EXPOSE ${port}`]),
    `HEALTHCHECK --interval=30s --timeout=15s --start-period=60s CMD ${exec(['node', cli, 'status'])}`,
    `# SIGTERM is a graceful stop. Give it time: docker run --stop-timeout ${Math.ceil(stopTimeout / 1000)}`,
    'STOPSIGNAL SIGTERM',
    'ENTRYPOINT ["tini", "--"]',
    `CMD ${exec(['node', cli, ...startArguments(plan, relative)])}`,
  ];
  return `${lines.join('\n')}\n`;
}
