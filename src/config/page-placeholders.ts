/** What is filled into a pause page of the app's own: `{{reason}}`, with spaces or without. */

export const pagePlaceholders = ['reason', 'seconds', 'until'] as const;
export type PagePlaceholder = (typeof pagePlaceholders)[number];

const placeholder = /\{\{[ \t]*([a-z_]+)[ \t]*\}\}/gi;

/** A name that is not known stays empty: a visitor has no use for it. */
export function fillIn(page: string, values: Readonly<Record<PagePlaceholder, string>>): string {
  return page.replace(placeholder, (_, name: string) => (isKnown(name) ? values[name] : ''));
}

export function unknownPlaceholders(page: string): string[] {
  const names = [...page.matchAll(placeholder)].map(([, name]) => name!);
  return [...new Set(names)].filter((name) => !isKnown(name));
}

function isKnown(name: string): name is PagePlaceholder {
  return (pagePlaceholders as readonly string[]).includes(name);
}
