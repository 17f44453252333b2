/** Derives the supervisor's settings from the app's configuration. */
import type { AppConfig } from '../../../config.ts';
import type { FleetSettings } from './state.ts';

/** PM2's default of `kill_timeout`, ms. */
export const pm2KillTimeout = 1_600;
/** How long a worker that still answers requests may take to finish if `kill_timeout` is not set, ms. */
const answerPatience = 30_000;
/** PM2's default of `listen_timeout`, ms. */
const pm2ListenTimeout = 3_000;
/** How long a worker may take to boot if `listen_timeout` is not set, ms. */
const patience = 30_000;
/** A worker that dies this soon after it listens counts as not booted for the task that waits for it; ms. */
const longestProbation = 1_000;

/**
 * After `listen_timeout` PM2 goes on as if the worker were ready. Here the worker has failed to boot: a reload must not
 * replace a serving worker with one that does not serve. PM2's default only leads to a warning, since it would fail
 * slow apps.
 */
export function fleetSettings(config: AppConfig): FleetSettings {
  const { killTimeout, listenTimeout, minUptime, maxRestarts, restartDelay, expBackoffRestartDelay } = config;
  return {
    killTimeout: killTimeout ?? pm2KillTimeout,
    answerTimeout: killTimeout ?? answerPatience,
    webSocketTimeout: config.webSocketTimeout,
    slowBoot: Math.min(listenTimeout, pm2ListenTimeout),
    bootLimit: listenTimeout === pm2ListenTimeout ? patience : listenTimeout,
    probation: Math.min(minUptime, longestProbation),
    restart: { minUptime, maxRestarts, restartDelay, expBackoffRestartDelay },
  };
}

/** How often CPU and memory are sampled, ms: a leak must be noticed well within two seconds. */
export function vitalsEvery(config: AppConfig): number {
  return config.maxMemoryRestart === null ? 1_000 : 500;
}
