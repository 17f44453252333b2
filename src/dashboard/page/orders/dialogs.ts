/** Asks for confirmation in a dialog that stays open, and shows errors, until the action succeeds or is cancelled. */
import { byId, say, set } from '../parts/dom.ts';

/**
 * Resolves with true when `confirmed` has succeeded, with false when the dialog was cancelled.
 *
 * @param confirmed the action; the dialog shows the error that it throws
 */
export function ask(id: string, confirmed: () => Promise<void>): Promise<boolean> {
  const dialog = byId<HTMLDialogElement>(id);
  const form = dialog.querySelector('form')!;
  const problem = dialog.querySelector('.problem')!;
  const submit = form.querySelector<HTMLButtonElement>('[type=submit]')!;
  say(problem, '');
  return new Promise((resolve) => {
    let busy = false;
    const listening = new AbortController();
    // Settles each question once and at once: the dialog's `close` event is queued and may come after the next opening.
    const settle = (done: boolean): void => {
      listening.abort();
      dialog.close();
      resolve(done);
    };
    const onSubmit = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      set(submit, 'aria-busy', 'true');
      say(problem, '');
      try {
        await confirmed();
        if (!listening.signal.aborted) settle(true);
      } catch (error) {
        if (!listening.signal.aborted) say(problem, (error as Error).message);
      } finally {
        busy = false;
        set(submit, 'aria-busy', null);
      }
    };
    const { signal } = listening;
    form.addEventListener(
      'submit',
      (event) => {
        event.preventDefault();
        void onSubmit();
      },
      { signal },
    );
    form.addEventListener(
      'click',
      (event) => {
        if ((event.target as HTMLButtonElement).value === 'cancel') settle(false);
      },
      { signal },
    );
    dialog.addEventListener(
      'cancel',
      (event) => {
        event.preventDefault(); // `settle` closes it at once
        settle(false);
      },
      { signal },
    );
    // If the browser closes the dialog without `cancel`. If it is open again, it belongs to the next question.
    dialog.addEventListener(
      'close',
      () => {
        if (!dialog.open) settle(false);
      },
      { signal },
    );
    dialog.showModal();
  });
}
