/** The supervisor's numbers, from the app's configuration. */
import type { AppConfig } from '../../config.ts';
import type { FleetSettings } from './state.ts';

/** `listen_timeout` where nobody has set it. */
const pm2ListenTimeout = 3_000;
/** What a worker is given to boot where nobody has said how long that may take, ms. */
const patience = 30_000;
/** A worker that dies this soon after it listens has not booted, to whoever waits for it; ms. */
const longestProbation = 1_000;

/**
 * Past `listen_timeout` PM2 carries on as if the worker were ready. Here it has failed to boot: a reload must not
 * trade a worker that serves for one that does not. PM2's default is only a warning, since it fails slow apps.
 */
export function fleetSettings(config: AppConfig): FleetSettings {
  const { killTimeout, listenTimeout, minUptime, maxRestarts, restartDelay, expBackoffRestartDelay } = config;
  return {
    killTimeout,
    slowBoot: Math.min(listenTimeout, pm2ListenTimeout),
    bootLimit: listenTimeout === pm2ListenTimeout ? patience : listenTimeout,
    probation: Math.min(minUptime, longestProbation),
    restart: { minUptime, maxRestarts, restartDelay, expBackoffRestartDelay },
  };
}

/** How often CPU and memory are sampled, ms: a leak is to be noticed well within two seconds. */
export function vitalsEvery(config: AppConfig): number {
  return config.maxMemoryRestart === null ? 1_000 : 500;
}
