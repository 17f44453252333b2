/** Fills placeholders such as `{{reason}}`, with or without spaces, in the app's own pause page. */

export const pagePlaceholders = ['reason', 'seconds', 'until'] as const;
export type PagePlaceholder = (typeof pagePlaceholders)[number];

const placeholder = /\{\{[ \t]*([a-z_]+)[ \t]*\}\}/gi;

/** Replaces the placeholders. An unknown name becomes empty, since it would not help a visitor. */
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
