/**
 * A primary for an app that runs as one process, without a cluster (`node app.js`, a test with supertest): the same
 * maintenance state, with this process as its only worker.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { loadConfig } from '../config/load.ts';
import { logLevelOf } from '../config/values/log-level.ts';
import type { AppConfig } from '../config.ts';
import { MirrorThread } from '../mirror/handle.ts';
import type { FromWorker } from '../protocol/workers/messages.ts';
import { Coordinator } from './maintenance/coordinator.ts';
import type { WorkerPort, WorkerRef } from './ports.ts';
import { Journal } from './runs/recovery/journal.ts';
import { rulesOf } from './maintenance/rules.ts';
import { workerSettingsOf } from './fleet/worker-settings.ts';
import { RunStore } from './runs/history/history.ts';
import { SyncRuns } from './runs/feeds/feed-runs.ts';

const self: WorkerRef = { slot: 0, incarnation: 0 };

/** Resolves with the function through which the worker sends messages to this primary. */
export async function startLocalPrimary(toWorker: (message: unknown) => void): Promise<(message: FromWorker) => void> {
  const log = pino({ name: 'quiesce', level: logLevelOf(process.env) ?? 'warn' }, pino.destination(2));
  const config = await localConfig();
  const runs = await RunStore.open(join(config.dataDir, 'runs'), log);
  await mkdir(join(config.dataDir, 'spool'), { mode: 0o700 });
  await mkdir(join(config.dataDir, 'work'), { mode: 0o700 });
  const journal = await Journal.open(join(config.dataDir, 'journal'));
  const sync = new SyncRuns({
    config,
    runs,
    journal,
    log,
    thread: (onProgress) => new MirrorThread({ onProgress, log }),
  });
  const port: WorkerPort = {
    send: (_ref, message) => {
      // As over IPC: a copy, delivered in order after the current code.
      const copy = structuredClone(message);
      queueMicrotask(() => toWorker({ quiesce: 1, ...self, ...copy }));
      return true;
    },
    pin: () => {}, // nothing but the process itself ends it
    kill: (_ref, why) => {
      // This process cannot be killed because of its client: the run ends, and the run's handler goes on without it.
      log.error(`A handler should be stopped (${why}), which only a cluster can do.`);
      queueMicrotask(() => {
        coordinator.gone(self);
        coordinator.forked(self);
        coordinator.message(self, { quiesce: 1, ...self, epoch: 0, type: 'hello', pid: process.pid });
      });
    },
  };
  const coordinator = new Coordinator({
    rules: rulesOf({ config }),
    epoch: 0, // the fence is the only memory between processes
    kept: { operator: null, scheduled: null },
    port,
    runs,
    sync,
    settingsOf: () => workerSettingsOf(config),
    holdFile: null,
    log,
  });
  coordinator.forked(self);
  return (message) => coordinator.message(self, message);
}

/** The defaults and the environment, with a private data directory that is removed when the process exits. */
async function localConfig(): Promise<AppConfig> {
  const dataDir = mkdtempSync(join(tmpdir(), 'quiesce-'));
  process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
  const { apps } = await loadConfig(fileURLToPath(import.meta.url), {
    dataDir,
    // An app that runs by itself may have log levels of its own.
    processEnv: { ...process.env, QUIESCE_DATA_DIR: undefined, LOG_LEVEL: undefined },
  });
  return apps[0]!;
}
