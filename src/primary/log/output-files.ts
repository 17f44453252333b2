/**
 * `out_file` and `error_file`: what the workers write, as they write it, with PM2's names and dates.
 * Reopened when told, after logrotate has moved them away.
 */
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import dayjs from 'dayjs';
import type { Logger } from 'pino';
import sonic, { type SonicBoom } from 'sonic-boom';
import type { AppConfig } from '../../config.ts';
import type { OutputStream } from '../fleet/worker-output.ts';
import { tellOnStderr } from './unwritable.ts';

type FileConfig = Pick<AppConfig, 'outFile' | 'errorFile' | 'mergeLogs' | 'logDateFormat'>;

/** What may wait for the disk, for each file, bytes. */
const maxWaiting = 16 * 1024 * 1024;
/** How long a file that cannot be opened is left alone, ms. */
const defaultPatience = 1_000;

export class OutputFiles {
  #config: FileConfig;
  readonly #log: Logger;
  readonly #patience: number;
  readonly #files = new Map<string, OutputFile>();
  /** Whose last line has not ended yet. */
  readonly #unended = new Set<string>();

  constructor(config: FileConfig, log: Logger, patience = defaultPatience) {
    this.#config = config;
    this.#log = log;
    this.#patience = patience;
  }

  /** `isCut`: the line goes on with the next call, so it gets no end, and what follows gets no date. */
  write(slot: number, stream: OutputStream, line: string, isCut = false): void {
    const { outFile, errorFile, mergeLogs, logDateFormat } = this.#config;
    const configured = stream === 'stdout' ? outFile : errorFile;
    if (configured === null) return;
    const path = outputFile(configured, mergeLogs, slot);
    const file = this.#files.get(path) ?? new OutputFile(path, this.#log, this.#patience);
    this.#files.set(path, file);
    const key = `${slot}:${stream}`;
    const date = logDateFormat === null || this.#unended.has(key) ? '' : `${dayjs().format(logDateFormat)}: `;
    if (isCut) this.#unended.add(key);
    else this.#unended.delete(key);
    file.write(`${date}${line}${isCut ? '' : '\n'}`);
  }

  /** Where it goes from now on; what has been written is in the files that there were. */
  use(config: FileConfig): void {
    const { outFile, errorFile, mergeLogs } = this.#config;
    this.#config = config;
    if (outFile === config.outFile && errorFile === config.errorFile && mergeLogs === config.mergeLogs) return;
    void this.close();
  }

  /** After the files have been moved away: begins new ones under their names. */
  reopen(): void {
    for (const file of this.#files.values()) file.reopen();
  }

  /** Resolves when what waited has been written. */
  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map((file) => file.close()));
  }
}

/** As PM2 names them: each instance has its number before `.log`, unless logs are merged. */
export function outputFile(configured: string, merge: boolean, slot: number): string {
  return merge ? configured : configured.replace(/(-\d+)?\.log$/, `-${slot}.log`);
}

/**
 * open ⇄ failed: told once. Where it cannot be opened, lines are dropped and now and then one of them tries again; where
 * it cannot be written, they wait as far as there is room. Opened at once, so that the order of lines is plain.
 */
class OutputFile {
  readonly #path: string;
  readonly #log: Logger;
  #current: SonicBoom | null = null;
  #closing: Promise<void> = Promise.resolve();
  #told = false;
  readonly #patience: number;
  /** Null where it is open or closed on purpose. */
  #tryAgainAt: number | null = null;

  constructor(path: string, log: Logger, patience: number) {
    this.#path = path;
    this.#log = log;
    this.#patience = patience;
    this.#open();
  }

  write(line: string): void {
    if (this.#tryAgainAt !== null && performance.now() >= this.#tryAgainAt) this.#open();
    this.#current?.write(line);
  }

  reopen(): void {
    void this.close();
    this.#open();
  }

  /** Resolves when all that was written before is in the file. */
  close(): Promise<void> {
    const file = this.#current;
    this.#current = null;
    this.#tryAgainAt = null;
    if (file) {
      const closed = Promise.race([once(file, 'close'), once(file, 'error')]).catch(() => {}); // the error has been told
      this.#closing = Promise.all([this.#closing, closed]).then(() => {});
      file.end();
    }
    return this.#closing;
  }

  #open(): void {
    this.#tryAgainAt = null;
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#current = new sonic.SonicBoom({ fd: openSync(this.#path, 'a'), sync: false, maxLength: maxWaiting });
      this.#current.on('error', (error) => this.#tell(error)).on('drain', () => (this.#told = false));
    } catch (error) {
      this.#tryAgainAt = performance.now() + this.#patience;
      this.#tell(error);
    }
  }

  #tell(error: unknown): void {
    if (this.#told) return;
    this.#told = true;
    tellOnStderr(this.#path, error);
    this.#log.error({ err: error }, `${this.#path} cannot be written`);
  }
}
