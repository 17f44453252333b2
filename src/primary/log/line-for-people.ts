import type { PrettyOptions } from 'pino-pretty';
import { visibleOutput } from '../../protocol/visible.ts';

/** A line of the log for people: what a worker wrote stands after its slot, `|` for stdout and `!` for stderr, `…` where it goes on. */
export const lineForPeople: PrettyOptions = {
  ignore: 'pid,hostname,name,slot,incarnation,stream,workerPid,cut',
  singleLine: true,
  messageFormat: (log, key) => {
    const { slot, incarnation, stream, cut } = log;
    const text = `${visibleOutput(String(log[key]))}${cut === true ? ' …' : ''}`;
    return typeof stream === 'string'
      ? `${String(slot)}.${String(incarnation)} ${stream === 'stderr' ? '!' : '|'} ${text}`
      : text;
  },
};
