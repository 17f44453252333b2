/**
 * `out_file` and `error_file`: the output of the workers, unchanged, with PM2's file names and dates. Reopened on
 * request, after logrotate has moved them.
 */
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import dayjs from 'dayjs';
import type { Logger } from 'pino';
import sonic, { type SonicBoom } from 'sonic-boom';
import type { AppConfig } from '../../config.ts';
import type { OutputStream } from '../fleet/process/worker-output.ts';
import { tellOnStderr } from './unwritable.ts';

type FileConfig = Pick<AppConfig, 'outFile' | 'errorFile' | 'mergeLogs' | 'logDateFormat'>;

/** How much may wait for the disk, bytes per file. */
const maxWaiting = 16 * 1024 * 1024;
/** How long to wait before a file that could not be opened is tried again, ms. */
const defaultPatience = 1_000;

export class OutputFiles {
  #config: FileConfig;
  readonly #log: Logger;
  readonly #patience: number;
  readonly #files = new Map<string, OutputFile>();
  /** The outputs (`slot:stream`) whose last line has not ended yet. */
  readonly #unended = new Set<string>();

  constructor(config: FileConfig, log: Logger, patience = defaultPatience) {
    this.#config = config;
    this.#log = log;
    this.#patience = patience;
  }

  /** `isCut`: the line goes on with the next call, so it gets no line end, and the next part gets no date. */
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

  /** Writes to the files of `config` from now on. Earlier lines stay in the former files. */
  use(config: FileConfig): void {
    const { outFile, errorFile, mergeLogs } = this.#config;
    this.#config = config;
    if (outFile === config.outFile && errorFile === config.errorFile && mergeLogs === config.mergeLogs) return;
    void this.close();
  }

  /** Opens new files under the same names, after the old ones were moved. */
  reopen(): void {
    for (const file of this.#files.values()) file.reopen();
  }

  /** Resolves when all waiting lines are written. */
  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map((file) => file.close()));
  }
}

/** The file name as in PM2: the number of the instance stands before `.log`, unless logs are merged. */
export function outputFile(configured: string, merge: boolean, slot: number): string {
  return merge ? configured : configured.replace(/(-\d+)?\.log$/, `-${slot}.log`);
}

/**
 * open ⇄ failed; a failure is reported once. If the file cannot be opened, lines are dropped, and from time to time one
 * of them tries again. If it cannot be written, lines wait as long as there is room. It is opened synchronously, to
 * keep the lines in order.
 */
class OutputFile {
  readonly #path: string;
  readonly #log: Logger;
  #current: SonicBoom | null = null;
  #closing: Promise<void> = Promise.resolve();
  #told = false;
  readonly #patience: number;
  /** When to try again; null if the file is open or was closed on purpose. */
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

  /** Resolves when everything written before is in the file. */
  close(): Promise<void> {
    const file = this.#current;
    this.#current = null;
    this.#tryAgainAt = null;
    if (file) {
      const closed = Promise.race([once(file, 'close'), once(file, 'error')]).catch(() => {}); // the error is reported
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
