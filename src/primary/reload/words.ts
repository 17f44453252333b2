/** Formats differences between two configurations for people: secrets are hidden, long values are cut. */
import type { Difference } from '../../config/difference.ts';
import type { SettingChange } from '../../protocol/api/runs.ts';
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
