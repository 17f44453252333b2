/** `quiesce exec -- command …`: runs the command as a separate run while the cluster is quiesced. */
import { spawn } from 'node:child_process';
import { constants as files } from 'node:fs';
import { access } from 'node:fs/promises';
import { constants as system } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askedBy, type SignedTarget } from './asked-by.ts';
import { ControlClient } from '../control-client.ts';
import { sentByTerminal } from './terminal-signals.ts';
import { findDataDir } from '../find-data-dir.ts';
import { counted, say } from '../output.ts';
import { visibleLine } from '../../protocol/visible.ts';

export interface ExecOptions extends SignedTarget {
  readonly reason?: string;
  readonly timeout?: number;
  readonly keepOnFailure?: boolean;
}

/** The exit codes of a shell. */
const notFound = 127;
const notExecutable = 126;

/** A message is printed if the drain takes longer than this, ms. */
const patience = 700;

/** Signals that are the command's, which gets each of them once. */
const signals = ['SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const;

interface CommandEnd {
  readonly code?: number;
  readonly signal?: NodeJS.Signals;
  readonly error?: string;
}

/** Returns the command's exit code; 127 if it is not found, 126 if it is not executable, 128 + n after signal n. */
export async function exec(words: readonly string[], options: ExecOptions): Promise<number> {
  const [command = ''] = words;
  const problem = await whyNot(command);
  if (problem !== null) {
    // This check comes before the hold: a mistyped command must not pause the site.
    say(visibleLine(`quiesce: ${command}: ${problem === notFound ? 'not found' : 'may not be executed'}`));
    return problem;
  }
  const { reason, timeout, keepOnFailure = false } = options;
  const client = new ControlClient(await findDataDir(options));
  const connection = new AbortController();
  const asked = client.exec(
    {
      keepOnFailure,
      ...(reason === undefined ? {} : { reason }),
      ...(timeout === undefined ? {} : { timeout }),
      ...askedBy(options),
    },
    connection.signal,
  );
  const { run, over } = await whileTelling(client, asked);
  let ended = false;
  let lost = false;
  void over.then(() => {
    if (ended) return;
    lost = true;
    say(`the hold is lost: run ${run} ended before the command did, which goes on. The site may serve.`);
  });
  const end = await runCommand(words);
  ended = true;
  if (end.error !== undefined) say(visibleLine(`quiesce: ${command}: ${end.error}`));
  try {
    const { held } = await client.execEnd(run, end);
    const why = end.code === 0 ? 'the hold was lost while the command ran' : 'the command has failed';
    if (held && keepOnFailure && (lost || end.code !== 0))
      say(`${why}, and the site stays held. \`quiesce maintenance off\` ends it.`);
  } catch (error) {
    // The exit code of the command matters more than a failure to report it.
    say(visibleLine(`quiesce: the end of run ${run} cannot be reported: ${(error as Error).message}`));
  }
  connection.abort();
  return codeOf(end);
}

async function whileTelling<T>(client: ControlClient, asked: Promise<T>): Promise<T> {
  const done = new AbortController();
  const telling = (async () => {
    await sleep(patience, undefined, { signal: done.signal });
    const { waitingFor } = await client.status();
    if (!done.signal.aborted) say(`waiting for ${counted(waitingFor.length, 'request')} to end …`);
  })();
  telling.catch(() => undefined); // aborted, or the answer itself reports the error
  try {
    return await asked;
  } finally {
    done.abort();
  }
}

function runCommand([command = '', ...args]: readonly string[]): Promise<CommandEnd> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit' });
    const sent = sentByTerminal();
    const pass = (signal: NodeJS.Signals): void => {
      if (!sent.includes(signal)) child.kill(signal);
    };
    for (const signal of signals) process.on(signal, pass);
    const settle = (end: CommandEnd): void => {
      for (const signal of signals) process.off(signal, pass);
      resolve(end);
    };
    child.once('error', (error) => settle({ error: error.message }));
    child.once('exit', (code, signal) => settle(signal === null ? { code: code ?? 1 } : { signal }));
  });
}

function codeOf({ code, signal, error }: CommandEnd): number {
  if (error !== undefined) return notFound;
  return signal === undefined ? (code ?? 1) : 128 + system.signals[signal];
}

/** Returns a shell's exit code for a command that cannot run; null if it can run. */
async function whyNot(command: string): Promise<number | null> {
  const folders = command.includes('/') ? [''] : (process.env['PATH'] ?? '').split(path.delimiter);
  let found = notFound;
  for (const folder of folders) {
    const file = folder === '' ? command : path.join(folder, command);
    const why = await access(file, files.X_OK).then(
      () => null,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (why === null) return null;
    if (why === 'EACCES') found = notExecutable;
  }
  return found;
}
