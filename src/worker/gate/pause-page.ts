/** What a browser shows during a pause. It loads itself again when the pause is expected to be over. */
import type { Problem } from '../../errors.ts';

/** Whole seconds. */
export function refreshAfter(retryAfter: number): number {
  return Number.isFinite(retryAfter) ? retryAfter : 5;
}

/** `own`: the app's own page; `{{reason}}` in it becomes what an operator has said, `{{seconds}}` the wait. */
export function pausePage(problem: Problem, retryAfter: number, own: string | null = null): string {
  const seconds = refreshAfter(retryAfter);
  if (own !== null) {
    const values = { reason: escapeHtml(reasonOf(problem)), seconds: String(seconds) };
    return own.replace(/\{\{(reason|seconds)\}\}/g, (_, name: keyof typeof values) => values[name]);
  }
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
<p>${escapeHtml(problem.detail)}</p>
<p>This page loads itself again in ${seconds} s.</p>
</main>
</body>
</html>
`;
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
