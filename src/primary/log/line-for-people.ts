import type { PrettyOptions } from 'pino-pretty';

/** A line of the log for people: what a worker wrote stands after its slot, `|` for stdout and `!` for stderr. */
export const lineForPeople: PrettyOptions = {
  ignore: 'pid,hostname,name,slot,incarnation,stream,workerPid',
  singleLine: true,
  messageFormat: (log, key) => {
    const { slot, incarnation, stream } = log;
    const text = String(log[key]);
    return typeof stream === 'string'
      ? `${String(slot)}.${String(incarnation)} ${stream === 'stderr' ? '!' : '|'} ${text}`
      : text;
  },
};
