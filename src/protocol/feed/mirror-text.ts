/** How a mirror is named for people and in labels. The command, the metrics and the dashboard's page, which loads no zod, share it. */

type Scope = Readonly<Record<string, unknown>> | null | undefined;

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
