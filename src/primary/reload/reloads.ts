/**
 * A reload reads the configuration again, replaces every worker, and applies the settings that the primary can change
 * while it runs. All or nothing: if a new worker cannot boot, the old settings stay in force, and workers that already
 * have the new settings are replaced once more.
 *
 * idle → reading → replacing → idle, or reading → idle if the file is wrong, or replacing → taking back → idle. One
 * reload at a time. A request during a reload gets the outcome of the next one, because the file may have changed since
 * it was read.
 */
import type { Logger } from 'pino';
import type { AppConfig } from '../../config.ts';
import { differencesBetween, takenByRunning, type Difference } from '../../config/difference.ts';
import { QuiesceError, toQuiesceError } from '../../errors.ts';
import type { SettingChange } from '../../protocol/api/runs.ts';
import type { Move } from '../admin/tcp.ts';
import { cutOffSince, type CutOffCount } from '../fleet/cut-off.ts';
import { changeOf, cutOffText, leftOutText, lineOf, notChanged } from './words.ts';

/** The configuration that the site runs on. */
export interface InForce {
  config: AppConfig;
}

/** The part of the supervisor that a reload needs. */
export interface ReloadedFleet {
  /** Grows with each reload. */
  readonly generation: number;
  /** How many workers are wanted. */
  readonly instances: number;
  /** Totals so far: workers that were killed because they did not finish in time, and their requests in flight. */
  readonly cutOff: CutOffCount;
  forkWith(config: AppConfig): void;
  watchWith(config: AppConfig): void;
  reload(from?: number): Promise<void>;
  scale(instances: number): Promise<void>;
}

export interface ReloadDeps {
  /** The configuration as it is now; null if the site was started from code. */
  readonly read: (() => Promise<AppConfig>) | null;
  readonly inForce: InForce;
  readonly fleet: ReloadedFleet;
  /** Whether `reload --primary` would bring this configuration into force, which the file has now. */
  readonly canBeReplacedBy: (found: AppConfig) => boolean;
  /** @throws QuiesceError where this primary is about to be replaced by one that has read the configuration already */
  readonly mayBegin?: () => void;
  readonly prepareAdmin: (next: AppConfig['admin']) => Promise<Move>;
  /** Called when a new configuration is in force. */
  readonly onChange: (config: AppConfig) => void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

export interface ReloadOutcome {
  readonly changes: SettingChange[];
  /** What its caller should know: requests that were cut off, settings that were left out. */
  readonly warnings: readonly string[];
}

interface Read {
  /** The configuration of the file, and the part of it that this primary can take. */
  readonly found: AppConfig;
  readonly next: AppConfig;
  readonly differences: readonly Difference[];
}

export class Reloads {
  readonly #deps: ReloadDeps;
  /** Settles when the current reload has ended. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Promise<ReloadOutcome> | null = null;
  #trouble: string | null = null;
  #unfinished = 0;

  constructor(deps: ReloadDeps) {
    this.#deps = deps;
  }

  /** A problem that an operator must know: some workers run with settings that are not in force. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** One goes on, or waits for that. */
  get isGoingOn(): boolean {
    return this.#unfinished > 0;
  }

  /**
   * Resolves when everything has taken effect.
   * @throws QuiesceError `bad-config`, `bad-usage`, `port-in-use`: nothing was started; `boot-failed`, `stopping`
   */
  async reload(): Promise<ReloadOutcome> {
    this.#deps.mayBegin?.();
    this.#waiting ??= this.#afterLast();
    return this.#waiting;
  }

  /** What a reload would change now, and leave out. */
  async preview(): Promise<ReloadOutcome> {
    const { found, differences } = await this.#read();
    const changes = differences.map(changeOf);
    return { changes, warnings: this.#leftOut(changes, found) };
  }

  #afterLast(): Promise<ReloadOutcome> {
    this.#unfinished += 1;
    const mine = this.#last
      .then(() => {
        this.#waiting = null;
        return this.#begin();
      })
      .finally(() => (this.#unfinished -= 1));
    this.#last = mine.catch(() => undefined);
    return mine;
  }

  async #begin(): Promise<ReloadOutcome> {
    const { inForce, log, prepareAdmin, fleet } = this.#deps;
    const before = { ...fleet.cutOff };
    const { found, next, differences } = await this.#read();
    const changes = differences.map(changeOf);
    this.#tell(changes);
    const moves = JSON.stringify(next.admin) !== JSON.stringify(inForce.config.admin);
    const move = moves ? await prepareAdmin(next.admin) : null;
    try {
      await this.#replace(inForce.config, next, differences);
    } catch (error) {
      await move?.undo();
      throw error;
    }
    move?.commit();
    inForce.config = next;
    this.#trouble = null;
    fleet.watchWith(next);
    this.#deps.onChange(next);
    const warnings = [
      ...cutOffText(cutOffSince(before, fleet.cutOff), next.killTimeout),
      ...this.#leftOut(changes, found),
    ];
    for (const warning of warnings) log.warn(warning);
    return { changes, warnings };
  }

  async #read(): Promise<Read> {
    const { read, inForce } = this.#deps;
    if (read === null) return { found: inForce.config, next: inForce.config, differences: [] };
    const found = await read();
    const differences = differencesBetween(inForce.config, found);
    return { found, next: takenByRunning(inForce.config, found), differences };
  }

  #leftOut(changes: readonly SettingChange[], found: AppConfig): string[] {
    return leftOutText(changes, this.#deps.canBeReplacedBy(found));
  }

  /** Replaces the workers with ones that have the new settings. Their number grows at once, or shrinks at the end. */
  async #replace(old: AppConfig, next: AppConfig, differences: readonly Difference[]): Promise<void> {
    const { fleet } = this.#deps;
    const before = fleet.instances;
    const wanted = old.instances === next.instances ? before : next.instances;
    fleet.forkWith(next);
    const replaced = fleet.reload();
    const from = fleet.generation;
    const grown = wanted > before ? fleet.scale(wanted) : null;
    const outcomes = await Promise.allSettled([replaced, grown]);
    const failed = outcomes.find((each) => each.status === 'rejected');
    if (failed === undefined) {
      if (wanted < before) await fleet.scale(wanted);
      return;
    }
    fleet.forkWith(old);
    const error = toQuiesceError(failed.reason, 'boot-failed');
    if (error.code === 'stopping' || differences.every(({ change }) => change === 'new-primary')) throw error;
    throw await this.#takenBack(error, from, before);
  }

  /** Gives all workers the old settings again. Resolves with the error for the caller of the reload. */
  async #takenBack(error: QuiesceError, from: number, instances: number): Promise<QuiesceError> {
    const { fleet, log } = this.#deps;
    log.info({ reason: error.message }, 'the reload has failed: the old settings stay in force');
    const shrunk = fleet.instances > instances ? fleet.scale(instances) : null;
    const outcomes = await Promise.allSettled([fleet.reload(from), shrunk]);
    const failed = outcomes.find((each) => each.status === 'rejected');
    const text = `${error.message.trimEnd().replace(/\.$/, '')}. The old settings stay in force.`;
    if (failed === undefined) return new QuiesceError(error.code, text, { cause: error, extra: error.extra });
    const why = toQuiesceError(failed.reason).message;
    log.error({ err: failed.reason }, 'workers that have got the new settings cannot be given the old ones');
    this.#trouble = `A reload has failed, and workers that had got its settings already could not be replaced (${why}): they run with settings that differ from those of the other workers. Correct the app or its configuration and run \`quiesce reload\`.`;
    return new QuiesceError(error.code, `${text} But some workers still have the new ones: ${why}`, { cause: error });
  }

  #tell(changes: readonly SettingChange[]): void {
    const text = changes.length === 0 ? notChanged : changes.map(lineOf).join('; ');
    this.#deps.log.info({ changes }, `reload: ${text}`);
  }
}
