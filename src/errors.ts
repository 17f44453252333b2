/**
 * The only registry of errors: the meaning of each code, its HTTP status and, if a command can end with it, its exit
 * code. Errors are matched by `code`, never by message.
 *
 * HTTP answers are problem documents, RFC 9457. Exit codes are those of docs/operations.md.
 */

/** The exit codes of commands, with their text in the help. */
const exits = {
  done: [0, 'done'],
  failed: [1, 'failed'],
  usage: [2, 'wrong usage or configuration'],
  alreadyRunning: [3, 'already running'],
  bootFailed: [4, 'the workers cannot boot'],
  noPrimary: [5, 'no primary answers'],
  refused: [6, 'refused'],
  noDatabase: [7, 'no database'],
} as const;
type Exit = keyof typeof exits;

export const exitCodes = Object.fromEntries(Object.entries(exits).map(([exit, [code]]) => [exit, code])) as {
  readonly [E in Exit]: (typeof exits)[E][0];
};

export const exitMeanings: readonly string[] = Object.values(exits).map((exit) => exit.join(' '));

/** After these exit codes, a supervisor of quiesce need not start it again: it would fail again. */
export const inVain: readonly number[] = [exitCodes.usage, exitCodes.alreadyRunning];

interface ErrorEntry {
  /** A short summary that is the same for every occurrence (RFC 9457 `title`). */
  readonly title: string;
  /** The HTTP status, for errors that are answered over HTTP. */
  readonly status?: number;
  /** The exit code of a command that ends with this error. */
  readonly exit?: number;
}

export const registry = {
  // Answers of the app and of the admin server.
  unauthorized: { title: 'A valid token is required', status: 401, exit: exitCodes.refused },
  forbidden: { title: 'Not allowed from here', status: 403, exit: exitCodes.refused },
  'not-found': { title: 'Not found', status: 404, exit: exitCodes.failed },
  'method-not-allowed': { title: 'Method not allowed', status: 405, exit: exitCodes.failed },
  'bad-request': { title: 'The request cannot be understood', status: 400, exit: exitCodes.usage },
  'run-in-progress': { title: 'Another exclusive run is going on', status: 409, exit: exitCodes.refused },
  'too-many-deletes': { title: 'The feed would delete more than is allowed', status: 409, exit: exitCodes.refused },
  'payload-too-large': { title: 'The feed is too large', status: 413, exit: exitCodes.failed },
  'unsupported-media-type': {
    title: 'This media type or coding is not supported',
    status: 415,
    exit: exitCodes.failed,
  },
  'malformed-json': { title: 'The feed is not well-formed JSON', status: 400, exit: exitCodes.failed },
  'digest-mismatch': { title: 'The feed does not match its digest', status: 400, exit: exitCodes.failed },
  'invalid-feed': { title: 'The feed is invalid', status: 422, exit: exitCodes.failed },
  'upload-timeout': { title: 'The upload took too long', status: 408, exit: exitCodes.failed },
  'upload-aborted': { title: 'The client went away while uploading', status: 400, exit: exitCodes.failed },
  paused: { title: 'Paused for maintenance', status: 503, exit: exitCodes.refused },
  'drain-timeout': { title: 'Requests in flight did not finish in time', status: 503, exit: exitCodes.refused },
  'database-unavailable': { title: 'The database cannot be reached', status: 503, exit: exitCodes.refused },
  'no-primary': { title: 'No quiesce primary answers', status: 503, exit: exitCodes.noPrimary },
  'hold-ended': { title: 'The hold ended before the cluster had come to rest', status: 409, exit: exitCodes.refused },
  'too-many-streams': { title: 'Too many event streams are open', status: 503, exit: exitCodes.refused },
  stopping: { title: 'The cluster is stopping', status: 503, exit: exitCodes.refused },
  'not-replaceable': { title: 'This primary cannot be replaced while it serves', status: 409, exit: exitCodes.refused },
  'insufficient-storage': { title: 'Not enough disk space', status: 507, exit: exitCodes.failed },
  'run-failed': { title: 'The run failed', status: 500, exit: exitCodes.failed },
  'owner-died': { title: 'The worker that owned the run died', status: 500, exit: exitCodes.failed },
  'run-timeout': { title: 'The run passed its deadline', status: 500, exit: exitCodes.failed },
  'run-cancelled': { title: 'An operator ended the run', status: 500, exit: exitCodes.failed },
  fenced: { title: 'A newer primary has taken over the collection', status: 500, exit: exitCodes.failed },
  // Ends of a command.
  'fetch-failed': { title: 'The feed cannot be fetched', exit: exitCodes.failed },
  'bad-usage': { title: 'Wrong usage', exit: exitCodes.usage },
  'bad-config': { title: 'The configuration is wrong', exit: exitCodes.usage },
  'already-running': { title: 'Another primary is running', exit: exitCodes.alreadyRunning },
  'boot-failed': { title: 'The workers could not boot', exit: exitCodes.bootFailed },
  'database-unreachable': { title: 'The database cannot be reached at start', exit: exitCodes.noDatabase },
  'data-dir-unusable': { title: 'The data directory cannot be used', exit: exitCodes.usage },
  'port-in-use': { title: 'The port is in use', exit: exitCodes.bootFailed },
  'lock-lost': { title: 'The lock of the data directory was lost', exit: exitCodes.failed },
  'keeper-lost': { title: 'The process that keeps the sockets has ended', exit: exitCodes.failed },
  internal: { title: 'An internal error', status: 500, exit: exitCodes.failed },
} as const satisfies Record<string, ErrorEntry>;

/** The code of an error; docs/http-api.md lists all, with their statuses. */
export type ErrorCode = keyof typeof registry;

/** Members of a problem document in addition to the standard ones, such as `errors` or `waitingFor`. */
export type ProblemExtra = Readonly<Record<string, unknown>>;

/** An RFC 9457 problem document. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ErrorCode;
  instance?: string;
  [extra: string]: unknown;
}

/**
 * Every error that quiesce makes on purpose.
 *
 * `message` is the problem's `detail`: what happened, why, and what to do.
 */
export class QuiesceError extends Error {
  readonly code: ErrorCode;
  readonly extra: ProblemExtra;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; extra?: ProblemExtra } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'QuiesceError';
    this.code = code;
    this.extra = options.extra ?? {};
  }

  /** The HTTP status of the answer; 500 if the code has none. */
  get status(): number {
    const entry: ErrorEntry = registry[this.code];
    return entry.status ?? 500;
  }

  /** The exit code of a command that ends with this error; 1 if the code has none. */
  get exitCode(): number {
    const entry: ErrorEntry = registry[this.code];
    return entry.exit ?? exitCodes.failed;
  }

  toProblem(instance?: string): Problem {
    return {
      type: `urn:quiesce:problem:${this.code}`,
      title: registry[this.code].title,
      status: this.status,
      detail: this.message,
      code: this.code,
      ...(instance === undefined ? {} : { instance }),
      ...this.extra,
    };
  }

  /** Returns the error that a problem document from another process describes. */
  static fromProblem(problem: Problem): QuiesceError {
    const { type: _type, title: _title, status: _status, detail, code, instance: _instance, ...extra } = problem;
    return new QuiesceError(isErrorCode(code) ? code : 'internal', detail, { extra });
  }
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(registry, code);
}

/** Returns a thrown value as a {@link QuiesceError}. Other errors get the code `fallback`, and are kept as `cause`. */
export function toQuiesceError(error: unknown, fallback: ErrorCode = 'internal'): QuiesceError {
  if (error instanceof QuiesceError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new QuiesceError(fallback, message, { cause: error });
}
