/** The page that a browser shows during a pause. It reloads itself when the pause is expected to be over. */
import { fillIn } from '../../../config/values/page-placeholders.ts';
import type { Problem } from '../../../errors.ts';

/** The longest time between two reloads, s: a hold may end before its time. */
const longestSleep = 60;
const unknown = 5;

/** The time until a page reloads itself, whole seconds. */
export function refreshAfter(retryAfter: number): number {
  return Math.min(longestSleep, secondsOf(retryAfter));
}

function secondsOf(retryAfter: number): number {
  return Number.isFinite(retryAfter) ? retryAfter : unknown;
}

/**
 * `own`: the app's own page; `{{reason}}` in it becomes the operator's reason, `{{seconds}}` the wait, `{{until}}` the
 * time of day. `now` in epoch ms.
 */
export function pausePage(
  problem: Problem,
  retryAfter: number,
  own: string | null = null,
  now: number = Date.now(),
): string {
  const wait = secondsOf(retryAfter);
  const until = clock(now + wait * 1000);
  const reason = escapeHtml(reasonOf(problem));
  if (own !== null) return fillIn(own, { reason, seconds: String(wait), until });
  const seconds = refreshAfter(retryAfter);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${seconds}">
<title>Back in a moment</title>
<style>
:root { color-scheme: light dark; }
body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 20vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.6rem; }
</style>
</head>
<body>
<main>
<h1>Back in a moment</h1>
${reason === '' ? '' : `<p>${reason}</p>\n`}<p>${wait > longestSleep ? `The site is expected back at ${until}.` : 'The site is expected back in a moment.'} This page looks again by itself, every minute at the latest.</p>
</main>
</body>
</html>
`;
}

/** In UTC: the server does not know the visitor's zone, and a page that asks for it would need a script. */
function clock(time: number): string {
  return `${new Date(time).toISOString().slice(11, 16)} UTC`;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A visitor has no use for the name of a run. */
function reasonOf({ holds }: Problem): string {
  const known = (Array.isArray(holds) ? holds : []) as { kind?: unknown; reason?: unknown }[];
  const operator = known.find(({ kind }) => kind === 'operator');
  return typeof operator?.reason === 'string' ? operator.reason : '';
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]!);
}
