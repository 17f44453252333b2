/** The option `source` of `mirror()`: feeds that the primary fetches for this mirror. Checked as `sync.source` is. */
import { completeSource, sourceMembers, type FeedSourceSettings } from '../../config/values/source-members.ts';
import type { BroughtSource } from '../../protocol/workers/brought-source.ts';
import type { CompleteMirrorOptions } from '../../protocol/workers/mirror-job.ts';

/** A feed that the primary fetches on a schedule. `docs/operations.md` tells how. */
export interface MirrorSource {
  /** `http://` or `https://`. A user and a password in it are sent, and never shown. */
  url: string;
  /** When: a cron pattern of five fields, or of six with seconds first. */
  cron: string;
  /** The time zone of `cron`, such as `'Europe/Berlin'`. Default: that of the machine. */
  timezone?: string | undefined;
  /** A random delay of up to this long after each time: ms, or a time such as `'5m'`. Default 0. */
  jitter?: number | string | undefined;
  /** Sent to this server, and to no other that it redirects to. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** How long fetching may take: ms, or a time such as `'10m'`, the default. */
  timeout?: number | string | undefined;
  /** The format, where the answer of the server does not say it. */
  format?: 'json' | 'ndjson' | 'csv' | undefined;
}

/** @throws TypeError what is wrong, without any value: some are secrets */
export function sourcesOf(given: unknown, { collection, scope }: CompleteMirrorOptions): BroughtSource[] {
  if (given === undefined) return [];
  return (Array.isArray(given) ? given : [given]).map((one: unknown) => ({
    ...readSource(one),
    collection,
    scope: scope ?? null,
  }));
}

function readSource(given: unknown): FeedSourceSettings {
  const names = Object.keys(sourceMembers);
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`mirror(): source takes { ${names.join(', ')} }, or a list of such.`);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new TypeError(`mirror(): source has no member '${unknown}', but ${names.join(', ')}.`);
  const { url, cron, ...more } = sourceMembers;
  return completeSource({
    url: member(given, 'url', url),
    cron: member(given, 'cron', cron),
    ...Object.fromEntries(
      Object.entries(more)
        .filter(([name]) => (given as Record<string, unknown>)[name] !== undefined)
        .map(([name, how]) => [name, member<unknown>(given, name, how)]),
    ),
  });
}

function member<T>(
  given: object,
  name: string,
  [words, parse]: readonly [string, (value: unknown) => T | undefined],
): T {
  const value = parse((given as Record<string, unknown>)[name]);
  if (value === undefined) throw new TypeError(`mirror(): source.${name} takes ${words}.`);
  return value;
}
