/** Asks before anything is done: a dialog that stays open, with what was wrong, until it worked or was cancelled. */
import { byId, say, set } from './dom.ts';

/**
 * Resolves with true when `confirmed` has succeeded, with false when the dialog was cancelled.
 *
 * @param confirmed what to do; what it throws is shown in the dialog
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
    // Once for each question, and at once: the dialog's own `close` is queued, and may come when it is open again.
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
        event.preventDefault(); // closed by us, at once
        settle(false);
      },
      { signal },
    );
    // Where the browser closes it without asking. One that is open again by now belongs to the next question.
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
