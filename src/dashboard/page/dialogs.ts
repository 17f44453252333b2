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
    let done = false;
    let busy = false;
    const onSubmit = async (event: Event): Promise<void> => {
      event.preventDefault();
      if (busy) return;
      busy = true;
      set(submit, 'aria-busy', 'true');
      say(problem, '');
      try {
        await confirmed();
        done = true;
        dialog.close();
      } catch (error) {
        say(problem, (error as Error).message);
      } finally {
        busy = false;
        set(submit, 'aria-busy', null);
      }
    };
    const onClick = (event: Event): void => {
      if ((event.target as HTMLButtonElement).value === 'cancel') dialog.close();
    };
    const submitted = (event: Event): void => void onSubmit(event);
    form.addEventListener('submit', submitted);
    form.addEventListener('click', onClick);
    dialog.addEventListener(
      'close',
      () => {
        form.removeEventListener('submit', submitted);
        form.removeEventListener('click', onClick);
        resolve(done);
      },
      { once: true },
    );
    dialog.showModal();
  });
}
