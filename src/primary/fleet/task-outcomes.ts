/** The callers that wait for a start, reload, scale or stop. All callers of one task get the same outcome. */
import type { QuiesceError } from '../../errors.ts';
import type { Task } from './lifecycle/state.ts';

export class TaskOutcomes {
  readonly #waiters = new Map<Task, { resolve: () => void; reject: (error: QuiesceError) => void }[]>();

  of(task: Task): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.set(task, [...(this.#waiters.get(task) ?? []), { resolve, reject }]);
    });
  }

  settle(task: Task, error?: QuiesceError): void {
    const waiters = this.#waiters.get(task) ?? [];
    this.#waiters.delete(task);
    for (const waiter of waiters) {
      if (error) waiter.reject(error);
      else waiter.resolve();
    }
  }
}
