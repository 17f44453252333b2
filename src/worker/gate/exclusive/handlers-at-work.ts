/** Exclusive handlers at work. When the primary ends the run of one, its worker is killed; its client is answered first. */
import { QuiesceError, type Problem } from '../../../errors.ts';
import type { Runtime } from '../../process/runtime.ts';

const answers = new Map<string, (error: QuiesceError) => void>();
let listensTo: Runtime | null = null;

/** `answer` is called once, at most. Returns a function to call when the handler is done. */
export function handlerAtWork(runtime: Runtime, run: string, answer: (error: QuiesceError) => void): () => void {
  if (listensTo !== runtime) {
    listensTo = runtime;
    runtime.link.onMessage((message) => {
      if (message.type !== 'run-ended') return;
      answers.get(message.run)?.(QuiesceError.fromProblem(message.problem as Problem));
      answers.delete(message.run);
    });
  }
  answers.set(run, answer);
  return () => void answers.delete(run);
}
