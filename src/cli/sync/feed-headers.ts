/** Reads the headers for the server of a feed: `--header 'Name: value'`, `--header-env Name=VARIABLE`. */
import { QuiesceError } from '../../errors.ts';
import { isHeader, isTransferHeader } from '../../protocol/feed/sent-headers.ts';

/** Error messages never contain values: they are secrets. @throws QuiesceError `bad-usage` */
export function feedHeaders(
  literal: readonly string[] = [],
  fromEnvironment: readonly string[] = [],
  environment: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const headers: Record<string, string> = {};
  const add = (option: string, name: string, value: string): void => {
    if (!isHeader(name, value))
      throw new QuiesceError('bad-usage', `${option} has a name or a value that no header can have.`);
    if (isTransferHeader(name))
      throw new QuiesceError('bad-usage', `${option} cannot set ${name}: the transfer needs it.`);
    headers[name] = value;
  };
  for (const header of literal) {
    const [, name, value] = /^([^:]*):(.*)$/s.exec(header) ?? [];
    if (name === undefined || value === undefined)
      throw new QuiesceError('bad-usage', "--header takes 'Name: value', with a colon.");
    add('--header', name.trim(), value.trim());
  }
  for (const header of fromEnvironment) {
    const [, name, variable] = /^([^=]+)=(.+)$/s.exec(header) ?? [];
    if (name === undefined || variable === undefined)
      throw new QuiesceError('bad-usage', '--header-env takes Name=VARIABLE, such as Authorization=FEED_AUTH.');
    const value = environment[variable];
    if (!value) throw new QuiesceError('bad-usage', `--header-env names ${variable}, and that variable is not set.`);
    add('--header-env', name.trim(), value.trim());
  }
  return headers;
}
