/**
 * `out_file` and `error_file`: what the workers write, as they write it, with PM2's names and dates.
 * Reopened when told, after logrotate has moved them away.
 */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import dayjs from 'dayjs';
import type { Logger } from 'pino';
import { SonicBoom } from 'sonic-boom';
import type { AppConfig } from '../../config.ts';
import type { OutputStream } from '../worker-output.ts';

type FileConfig = Pick<AppConfig, 'outFile' | 'errorFile' | 'mergeLogs' | 'logDateFormat'>;

/** What may wait for the disk, for each file, bytes. */
const maxWaiting = 16 * 1024 * 1024;

export class OutputFiles {
  readonly #config: FileConfig;
  readonly #log: Logger;
  readonly #files = new Map<string, OutputFile>();

  constructor(config: FileConfig, log: Logger) {
    this.#config = config;
    this.#log = log;
  }

  write(slot: number, stream: OutputStream, line: string): void {
    const { outFile, errorFile, mergeLogs, logDateFormat } = this.#config;
    const configured = stream === 'stdout' ? outFile : errorFile;
    if (configured === null) return;
    const path = outputFile(configured, mergeLogs, slot);
    const file = this.#files.get(path) ?? new OutputFile(path, this.#log);
    this.#files.set(path, file);
    file.write(`${logDateFormat === null ? '' : `${dayjs().format(logDateFormat)}: `}${line}\n`);
  }

  /** After the files have been moved away: begins new ones under their names. */
  reopen(): void {
    for (const file of this.#files.values()) file.reopen();
  }

  /** Resolves when what waited has been written. */
  async close(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.close()));
    this.#files.clear();
  }
}

/** As PM2 names them: each instance has its number before `.log`, unless logs are merged. */
export function outputFile(configured: string, merge: boolean, slot: number): string {
  return merge ? configured : configured.replace(/(-\d+)?\.log$/, `-${slot}.log`);
}

/** opening ──▶ open ⇄ failed (told once; what comes meanwhile waits, up to a limit, or is dropped). */
class OutputFile {
  readonly #destination: SonicBoom;
  #failed = false;

  constructor(path: string, log: Logger) {
    const fail = (error: unknown): void => {
      if (!this.#failed) log.error({ err: error }, `${path} cannot be written`);
      this.#failed = true;
    };
    try {
      mkdirSync(dirname(path), { recursive: true });
    } catch (error) {
      fail(error); // opening it fails too, and tells nothing new
    }
    this.#destination = new SonicBoom({ dest: path, append: true, sync: false, maxLength: maxWaiting });
    this.#destination.on('error', fail).on('ready', () => (this.#failed = false));
  }

  write(line: string): void {
    this.#destination.write(line);
  }

  reopen(): void {
    this.#destination.reopen();
  }

  async close(): Promise<void> {
    if (this.#failed) return this.#destination.destroy();
    const closed = Promise.race([once(this.#destination, 'close'), once(this.#destination, 'error')]);
    this.#destination.end();
    await closed.catch(() => {}); // of an error, which has been told
  }
}
