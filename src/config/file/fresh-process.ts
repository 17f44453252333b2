/**
 * Evaluates a configuration file in a separate Node process. The primary would get the old file, and all modules that
 * it requires, from its module cache. Also, reading a file must not end or block the primary: the file may throw, call
 * process.exit or never return.
 */
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { deserialize } from 'node:v8';
import { QuiesceError } from '../../errors.ts';

export interface Surroundings {
  /** The environment of the file. Variables that the file sets or deletes are set and deleted in this object. */
  readonly env: Record<string, string | undefined>;
  /** The working directory of the file. */
  readonly folder: string;
  readonly argv: readonly string[];
  /** How long the evaluation may take, ms. */
  readonly limit?: number;
}

interface Evaluated {
  readonly exported?: unknown;
  readonly thrown?: { readonly message: string; readonly stack?: string };
  readonly set: Readonly<Record<string, string>>;
  readonly deleted: readonly string[];
}

const defaultLimit = 10_000;
/** Stands for a function, which cannot be sent to another process. It is needed to report the function as a fault. */
const functionMark = '\0function';
/** How much of the file's output on stderr is kept, characters. */
const longestLastWords = 2_000;

/** Runs in the other process, as text: it can use only its own code, and the compiler rewrites `import`. */
async function evaluate(load: () => Promise<unknown>, argv: readonly string[], mark: string): Promise<void> {
  const { writeSync } = await import('node:fs');
  const { serialize } = await import('node:v8');
  process.argv.splice(0, process.argv.length, ...argv);
  const before = { ...process.env };
  const seen = new Map<object, unknown>();
  const plain = (value: unknown): unknown => {
    if (typeof value === 'function' || typeof value === 'symbol') return mark;
    if (typeof value !== 'object' || value === null) return value;
    const known = seen.get(value);
    if (known !== undefined) return known;
    const copy: Record<string, unknown> | unknown[] = Array.isArray(value) ? [] : {};
    seen.set(value, copy);
    for (const [key, member] of Object.entries(value)) (copy as Record<string, unknown>)[key] = plain(member);
    return copy;
  };
  const outcome: Record<string, unknown> = {};
  try {
    outcome['exported'] = plain(await load());
  } catch (error) {
    outcome['thrown'] =
      error instanceof Error ? { message: error.message, stack: error.stack } : { message: String(error) };
  }
  const after = Object.entries(process.env);
  outcome['set'] = Object.fromEntries(after.filter(([name, value]) => before[name] !== value));
  outcome['deleted'] = Object.keys(before).filter((name) => process.env[name] === undefined);
  let bytes = serialize(outcome);
  while (bytes.length > 0) bytes = bytes.subarray(writeSync(3, bytes));
  process.exit();
}

/**
 * Resolves with the exports of the file.
 * @throws Error that the file threw, with its stack; QuiesceError `bad-config` if the file gave no result
 */
export async function evaluateFresh(file: string, { env, folder, argv, limit }: Surroundings): Promise<unknown> {
  const load = `() => import(${JSON.stringify(pathToFileURL(file).href)})`;
  const call = `(${evaluate.toString()})(${load}, ${JSON.stringify(argv)}, ${JSON.stringify(functionMark)})`;
  const outcome = await answerOf(file, call, env, folder, limit ?? defaultLimit);
  for (const name of outcome.deleted) delete env[name];
  Object.assign(env, outcome.set);
  if (outcome.thrown === undefined) return withFunctions(outcome.exported);
  throw Object.assign(new Error(outcome.thrown.message), { stack: outcome.thrown.stack });
}

function answerOf(
  file: string,
  source: string,
  env: Surroundings['env'],
  folder: string,
  limit: number,
): Promise<Evaluated> {
  return new Promise((resolve, reject) => {
    const flags = process.execArgv.filter((flag) => !flag.startsWith('--inspect'));
    const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', source], {
      cwd: folder,
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    });
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, limit);
    const answer: Buffer[] = [];
    let lastWords = '';
    const [, , stderr, result] = child.stdio;
    (stderr as NodeJS.ReadableStream).on('data', (chunk: Buffer) => {
      lastWords = (lastWords + chunk.toString()).slice(-longestLastWords);
    });
    const told = new Promise<void>((end) => {
      (result as NodeJS.ReadableStream).on('data', (chunk: Buffer) => answer.push(chunk)).once('close', end);
    });
    const fail = (why: string): void => reject(new QuiesceError('bad-config', `${file} cannot be loaded: ${why}`));
    child.once('error', (error) => {
      clearTimeout(timer);
      fail(`Node cannot be started for it in ${folder}: ${error.message}`);
    });
    // `exit`, not `close`: a process that the file started may keep stderr open.
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      void told.then(() => {
        if (answer.length > 0) return resolve(deserialize(Buffer.concat(answer)) as Evaluated);
        if (late) return fail(`it had not ended after ${limit / 1000} s.`);
        const words = lastWords.trim();
        return fail(`it ended its process with ${signal ?? `code ${code}`}.${words === '' ? '' : ` ${words}`}`);
      });
    });
  });
}

function withFunctions(value: unknown, seen: Set<unknown> = new Set()): unknown {
  if (value === functionMark) return () => undefined;
  if (typeof value !== 'object' || value === null || seen.has(value)) return value;
  seen.add(value);
  const object = value as Record<string, unknown>;
  for (const [key, member] of Object.entries(object)) object[key] = withFunctions(member, seen);
  return object;
}
