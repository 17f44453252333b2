/** What people are told about a reload. In differences of settings secrets are hidden, and long values are cut. */
import type { Difference } from '../../config/difference.ts';
import type { SettingChange } from '../../protocol/api/runs.ts';
import type { CutOffCount } from '../fleet/cut-off.ts';
import { withoutCredentials } from '../log/redaction.ts';
import { shortened } from '../../shortened.ts';

/** The names of variables and arguments that hold secrets. */
const secretName =
  /token|secret|passw|passphrase|pwd|credential|auth|cookie|session|salt|private|signature|dsn|key\b|_key/i;
/** A word of letters and digits of at least this length counts as a key, whatever its name is. */
const keyLength = 20;
const longest = 80;

export function changeOf({ name, setting, from, to, change }: Difference): SettingChange {
  const isText = name.startsWith('env.') || name === 'args' || name === 'node_args';
  const variable = name.replace(/^env\./, '');
  const hides = isText && (secretName.test(variable) || [from, to].some((value) => isSecret(name, textOf(value))));
  const show = (value: unknown): string => {
    if (value === undefined) return 'not set';
    if (hides) return '(hidden)';
    const visible = isText || setting.shown === null ? value : setting.shown(value as never);
    const text = withoutCredentials(textOf(visible));
    return shortened(text, longest);
  };
  return { setting: name, from: show(from), to: show(to), needsPrimary: change === 'new-primary' };
}

export const notChanged = 'the configuration has not changed';

/** For example `env.COLOR: red → blue`. */
export function lineOf({ setting, from, to }: SettingChange): string {
  return `${setting}: ${from} → ${to}`;
}

/**
 * Names the settings that a reload leaves out, and what brings them into force.
 *
 * @param canBeReplaced whether a new primary can take over while the site serves, and take them
 */
export function leftOutText(changes: readonly SettingChange[], canBeReplaced: boolean): string[] {
  const left = changes.filter(({ needsPrimary }) => needsPrimary).map(({ setting }) => setting);
  if (left.length === 0) return [];
  const remedy = canBeReplaced ? 'quiesce reload --primary' : 'stop the app and start it again';
  return [`Only a new primary takes ${left.join(', ')}: ${remedy}`];
}

/** Warns of requests that were cut off, since their workers had not finished in time. */
export function cutOffText({ workers, requests }: CutOffCount, killTimeout: number | null): string[] {
  if (workers === 0) return [];
  const who = workers === 1 ? '1 worker' : `${workers} workers`;
  const what =
    requests === 0
      ? 'No request was in flight.'
      : `The reload cut off ${requests === 1 ? '1 request' : `${requests} requests`}.`;
  const limit =
    killTimeout === null ? 'in time (kill_timeout is not set)' : `after ${killTimeout} ms, the kill_timeout,`;
  return [
    `${who} had not finished ${limit} and had to be killed. ${what} Set kill_timeout to what the slowest requests and the clean-up of the app take.`,
  ];
}

function isSecret(name: string, text: string): boolean {
  return looksSecret(text) || (!name.startsWith('env.') && secretName.test(text));
}

function looksSecret(text: string): boolean {
  return text.split(/[^\w+=-]/).some((word) => word.length >= keyLength && /\d/.test(word) && /[a-z]/i.test(word));
}

function textOf(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(' ') || '(none)';
  return typeof value === 'string' ? value || '(empty)' : JSON.stringify(value);
}
