/** The format of the log on a terminal. */
import type { PrettyOptions } from 'pino-pretty';
import { visibleOutput } from '../../protocol/visible.ts';

/** Output of a worker follows its slot: `|` for stdout, `!` for stderr, `…` at the end if the line goes on. */
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
