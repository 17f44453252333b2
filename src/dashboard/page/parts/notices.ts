/** Shows the results of orders. Failures and warnings stay until they are dismissed. */
import { byId, el } from './dom.ts';

/** How long a success is shown, ms. */
const shown = 12_000;

export function notify(text: string, stays = false): void {
  const dismiss = el('button', { type: 'button', class: 'quiet' }, 'Dismiss');
  const notice = el('div', { class: stays ? 'notice failed' : 'notice' }, el('span', {}, text), dismiss);
  dismiss.addEventListener('click', () => notice.remove());
  byId('notices').append(notice);
  if (!stays) setTimeout(() => notice.remove(), shown);
}
