/** How a mirror and the origin of its feed are named for people, the mirror also in labels. The command, the metrics and the dashboard's page, which loads no zod, share it. */

type Scope = Readonly<Record<string, unknown>> | null | undefined;

interface Origin {
  readonly source?: string | undefined;
  readonly owner?: { readonly method: string; readonly path: string } | undefined;
}

/** The members of a scope, such as `tenant=north`; empty where there is none. */
export function scopeText(scope: Scope): string {
  return Object.entries(scope ?? {})
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

/** The collection of a mirror, and its scope. */
export function mirrorText(collection: string | undefined, scope: Scope): string {
  return [collection, scopeText(scope)].filter(Boolean).join(' ');
}

/** Where the feed of a run came from, or who asked for an exclusive one: the address that the primary fetched, else the request. */
export function originText({ source, owner }: Origin): string {
  return source ?? (owner === undefined ? '' : `${owner.method} ${owner.path}`);
}
