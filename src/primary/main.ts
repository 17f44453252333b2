/**
 * Runs a primary from start to end: folder → lock → log → everything else.
 *
 * Everything else is loaded only under the lock: a second primary that finds the lock held only has to say so. A primary
 * that is to replace another one boots beside that first: folder → log → everything that does not write → lock.
 */
import { realpathSync } from 'node:fs';
import type { RequestHandler } from 'express';
import type { AppConfig } from '../config.ts';
import type { Origin } from '../config/origin.ts';
import { exitCodes, type QuiesceError } from '../errors.ts';
import { startedFrom } from '../own-files.ts';
import { prepareDataDir } from './data-dir/data-dir.ts';
import type { LockEvents } from './data-dir/held-lock.ts';
import { acquireLock } from './data-dir/lock.ts';
import { keptBy } from './data-dir/lock-owner.ts';
import type { Successor } from './handover/beside.ts';
import type { Beginning, KeeperLink } from './kept/link.ts';
import { inheritedSockets, whyUnserved } from './kept/passed.ts';
import { KeptSockets } from './kept/sockets.ts';
import type { OpenLog } from './log/log.ts';
import type { SiteParts } from './open-site.ts';

export interface PrimaryOptions {
  /** The source of the configuration; without it a reload replaces the workers and changes no setting. */
  readonly origin?: Origin;
  /** Variables that workers get in place of this process's own, which the configuration file has changed. */
  readonly inherited?: Readonly<Record<string, string | undefined>>;
  /** The process that started this primary and keeps its sockets; none by default. */
  readonly keeper?: KeeperLink | null;
  /** Further routes of the admin server: the dashboard, which a module of a higher layer provides. */
  readonly more?: () => Promise<readonly RequestHandler[]>;
  /** Called when every worker serves. */
  readonly opened?: (site: SiteParts) => void;
  /** Whether signals steer the site, and the process that started this one is told when it is ready; default true. */
  readonly signals?: boolean;
  /** Whether the log also goes to stdout; default true. */
  readonly stdout?: boolean;
}

const ignore = (): void => {};

/**
 * Runs until it is stopped. Resolves with the exit code.
 *
 * @throws QuiesceError `bad-usage`, `already-running`, `data-dir-unusable`, `database-unreachable`, `boot-failed`, `port-in-use`
 */
export async function runPrimary(config: AppConfig, options: PrimaryOptions = {}): Promise<number> {
  const kept = options.keeper ?? null;
  const passed = kept === null ? [] : inheritedSockets(kept, config);
  // Node ignores SIGXFSZ until a package such as signal-exit listens to it; that package ends the process if it is the
  // only listener. The write then fails with EFBIG, which is handled where it happens.
  if (!process.listeners('SIGXFSZ').includes(ignore)) process.on('SIGXFSZ', ignore);
  startedFrom(config.cwd);
  prepareDataDir(config.dataDir);
  // The resolved path from here on: a link in the path may be switched to another release.
  const dataDir = realpathSync(config.dataDir);
  if (kept !== null) keptBy(kept.pid);
  const beginning: Beginning = (await kept?.begun) ?? { again: false, beside: false, former: [] };
  const site = { ...config, dataDir };
  const { inherited = {} } = options;
  let log: OpenLog | null = null;
  let beside: Successor | null = null;
  if (kept !== null && beginning.beside) {
    const [{ openLog }, { bootBeside }] = await Promise.all([
      import('./log/log.ts'),
      import('./handover/beside.ts'),
      import('./site.ts'), // so that taking over takes no time
    ]);
    log = await openLog(config.name, options.stdout ?? true);
    beside = await bootBeside(site, { link: kept, inherited, log: log.logger });
  }
  let keeper: LockEvents = { lost: () => process.exit(exitCodes.failed) };
  const lock = await acquireLock(dataDir, {
    lost: (reason) => keeper.lost(reason),
    troubled: (error) => keeper.troubled?.(error),
    kept: (how) => keeper.kept?.(how),
  });
  try {
    log ??= await (await import('./log/log.ts')).openLog(config.name, options.stdout ?? true);
    log.keepIn(dataDir);
    const { runSite } = await import('./site.ts');
    const more = (await options.more?.()) ?? [];
    const { configReader } = await import('./reload/config-reader.ts');
    const read = options.origin === undefined ? null : configReader(options.origin, config, dataDir, log.logger);
    const { opened = () => {}, signals = true } = options;
    const sockets = kept === null ? null : new KeptSockets(kept, undefined, passed);
    const giveBack = config.scheduling === 'os' ? sockets?.install() : undefined;
    // With `rr` node:cluster binds its own sockets. It cannot while the keeper has those of a primary that ran with
    // `os`.
    if (config.scheduling !== 'os') await sockets?.closeAll();
    try {
      const giveUp = async (): Promise<void> => {
        await lock.yield();
        sockets?.yield();
      };
      const folder = options.origin?.options.folder ?? null;
      const handover = { keeper: kept, beginning, beside, folder, yield: giveUp };
      const unserved = (): QuiesceError | null => whyUnserved(sockets?.unserved ?? []);
      const parts = { log, more, read, inherited, ...handover, unserved, opened, signals };
      return await runSite(site, parts, (events) => (keeper = events));
    } finally {
      // Before the lock is released: the next `start` may want the same ports.
      giveBack?.();
      await sockets?.closeAll();
    }
  } finally {
    await log?.close();
    await lock.release();
    await log?.drained();
  }
}
