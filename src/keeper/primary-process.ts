/** The keeper's handle on one primary process: its channel, its signals, its end. Makes no decisions. */
import { spawn, type ChildProcess, type SendHandle } from 'node:child_process';
import { existsSync } from 'node:fs';
import { descriptorsOf } from './passed-sockets.ts';
import { isToKeeper } from '../protocol/keeper/checks.ts';
import { keeperProtocol, keeperVariable, passedVariable } from '../protocol/keeper/names.ts';
import type { Build, FromKeeper, Handle, Outgoing, ToKeeper } from '../protocol/keeper/messages.ts';
import type { Gone } from './state.ts';

export interface Call {
  readonly build: Build;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The names of the sockets that a service manager has passed. */
  readonly passed: readonly string[];
  /** Starts it in a process group of its own, so that Ctrl-C reaches it through the keeper only. */
  readonly group: boolean;
}

export interface Listener {
  message(message: ToKeeper, handle: Handle | undefined): void;
  /** Called once, after the last message. */
  gone(how: Gone): void;
}

export class PrimaryProcess {
  /** Null if no process could be started. */
  readonly #child: ChildProcess | null = null;
  #meant: Extract<ToKeeper, { type: 'ending' }> | null = null;
  #isGone = false;

  constructor({ build: { node, main: own, called, folder }, args, env, passed, group }: Call, listener: Listener) {
    const main = existsSync(own) ? own : (called ?? own);
    // A removed folder must not keep the site down. `PWD` keeps the folder's name: `cwd` alone shows
    // where a switched link led to.
    const where = folder !== null && existsSync(folder) ? { cwd: folder } : {};
    try {
      const child = spawn(existsSync(node) ? node : process.execPath, [...process.execArgv, main, ...args], {
        stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...descriptorsOf(passed)],
        detached: group,
        ...where,
        env: {
          ...env,
          ...('cwd' in where ? { PWD: where.cwd } : {}),
          [keeperVariable]: String(keeperProtocol),
          ...(passed.length === 0 ? {} : { [passedVariable]: passed.join(':') }),
        },
      });
      this.#child = child;
      child.on('message', (raw: unknown, handle: unknown) => {
        if (!isToKeeper(raw)) return;
        if (raw.type === 'ending') this.#meant = raw;
        else listener.message(raw, handle as Handle | undefined);
      });
      this.#watchEnd(child, listener);
    } catch (error) {
      // Some failures throw instead of emitting `error`: no memory, or a Node binary that is being replaced.
      setImmediate(() => listener.gone({ code: null, signal: (error as Error).message, meant: false }));
    }
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * SIGTERM, SIGINT and SIGKILL are sent as they are, so that they also end a primary that still boots. Others go by
   * the channel, where they wait until it listens.
   */
  signal(signal: string): void {
    if (signal === 'SIGTERM' || signal === 'SIGINT' || signal === 'SIGKILL') this.#child?.kill(signal);
    else this.send({ type: 'signal', signal });
  }

  /** Does nothing if the process has gone; `gone` follows. */
  send(message: Outgoing<FromKeeper>, handle?: Handle): void {
    if (this.#child?.connected !== true) return;
    this.#child.send({ keeper: 1, ...message }, handle as unknown as SendHandle, {}, () => undefined);
  }

  #watchEnd(child: ChildProcess, listener: Listener): void {
    const end = (code: number | null, signal: string | null): void => {
      if (this.#isGone) return;
      this.#isGone = true;
      const error = this.#meant?.error;
      listener.gone({ code, signal, meant: this.#meant !== null, ...(error === undefined ? {} : { error }) });
    };
    child.once('exit', (code, signal) => {
      // Its last message may arrive after its exit.
      if (child.connected) child.once('disconnect', () => end(code, signal));
      else end(code, signal);
    });
    child.once('error', (error) => {
      if (child.pid === undefined) end(null, error.message); // no process was started, so no `exit` follows
    });
  }
}
