/** The keeper's image of one primary: its channel, its signals, its end. Decides nothing. */
import { spawn, type ChildProcess, type SendHandle } from 'node:child_process';
import { existsSync } from 'node:fs';
import { descriptorsOf } from './passed-sockets.ts';
import { isToKeeper } from '../protocol/keeper-checks.ts';
import { keeperProtocol, keeperVariable, passedVariable } from '../protocol/keeper-names.ts';
import type { Build, FromKeeper, Handle, Outgoing, ToKeeper } from '../protocol/keeper.ts';
import type { Gone } from './state.ts';

export interface Call {
  readonly build: Build;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The names of the sockets that a service manager has passed. */
  readonly passed: readonly string[];
  /** A process group of its own, so that Ctrl-C reaches it through the keeper only. */
  readonly group: boolean;
}

export interface Listener {
  message(message: ToKeeper, handle: Handle | undefined): void;
  /** Once, after its last message. */
  gone(how: Gone): void;
}

export class PrimaryProcess {
  /** Null if there is no process. */
  readonly #child: ChildProcess | null = null;
  #meant: Extract<ToKeeper, { type: 'ending' }> | null = null;
  #isGone = false;

  constructor({ build: { node, main: own, called, folder }, args, env, passed, group }: Call, listener: Listener) {
    const main = existsSync(own) ? own : (called ?? own);
    // A folder that is gone would keep the site down; the name of the folder tells a link from where it leads to.
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
      // Some failures are thrown and not told by an event: no memory, a Node that is just being replaced.
      setImmediate(() => listener.gone({ code: null, signal: (error as Error).message, meant: false }));
    }
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** SIGTERM and SIGINT as they are: they end a primary that still boots, too. The others wait until it can hear them. */
  signal(signal: string): void {
    if (signal === 'SIGTERM' || signal === 'SIGINT' || signal === 'SIGKILL') this.#child?.kill(signal);
    else this.send({ type: 'signal', signal });
  }

  /** Nothing happens where it has gone; its end follows. */
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
      // Its last message may come after its exit.
      if (child.connected) child.once('disconnect', () => end(code, signal));
      else end(code, signal);
    });
    child.once('error', (error) => {
      if (child.pid === undefined) end(null, error.message); // no process came of it, so no exit will either
    });
  }
}
