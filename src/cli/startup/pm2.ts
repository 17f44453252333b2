/** Writes a PM2 configuration for an app. */
import { inVain } from '../../errors.ts';
import { startArguments, type StartupPlan } from './plan.ts';

/**
 * PM2 keeps the primary alive, and the primary keeps its workers alive. It needs PM2's fork mode: in cluster mode,
 * quiesce would itself be a worker.
 */
export function pm2Config(plan: StartupPlan): string {
  const { app, node, main, stopTimeout } = plan;
  const entry = {
    name: app.name,
    script: main,
    args: startArguments(plan),
    interpreter: node,
    exec_mode: 'fork',
    instances: 1,
    cwd: app.cwd,
    env: { NODE_ENV: 'production', QUIESCE_DATA_DIR: app.dataDir },
    wait_ready: true,
    listen_timeout: 120_000,
    kill_timeout: stopTimeout,
    treekill: false,
    stop_exit_codes: inVain,
    exp_backoff_restart_delay: 100,
  };
  return [
    `// quiesce under PM2: save as ${app.name}.config.cjs, then \`pm2 start ${app.name}.config.cjs && pm2 save\`.`,
    '// Reload with `quiesce reload`, which loses no request; `pm2 reload` would stop the whole app and start it again.',
    `module.exports = { apps: [${JSON.stringify(entry, null, 2)}] };`,
    '',
  ].join('\n');
}
