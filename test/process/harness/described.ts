/** Holds answers against docs/openapi.json: nothing may be answered that it does not tell of. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { openApi } from '../../../dev/docs/openapi/document.ts';
import type { Operation } from '../../../dev/docs/openapi/operation.ts';

export interface AnswerSeen {
  readonly method: string;
  /** With its query, or a whole URL. */
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const document = openApi() as { paths: Record<string, Record<string, Operation>> };
const ajv = new Ajv2020({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, 'openapi');
const templates = Object.keys(document.paths).map((path) => ({
  path,
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`),
}));

/** What is wrong with an answer; nothing where it is as described, or of a path that is not described. */
export function faultsOf(answer: AnswerSeen): string[] {
  const { pathname } = new URL(answer.path, 'http://localhost');
  const path = templates.find(({ pattern }) => pattern.test(pathname))?.path;
  if (path === undefined) return [];
  const method = answer.method.toLowerCase();
  const operation = document.paths[path]?.[method === 'head' ? 'get' : method];
  const where = `${answer.method} ${path} ${answer.status}`;
  if (operation === undefined) return answer.status === 405 ? [] : [`${where}: there is no such operation`];
  const described = operation.responses[String(answer.status)];
  if (described === undefined) return [`${where}: not described: ${answer.text}`];

  const missing = Object.entries(described.headers ?? {}).filter(
    ([name, { required }]) => required === true && answer.headers[name.toLowerCase()] === undefined,
  );
  const faults = missing.map(([name]) => `${where}: ${name} is missing`);
  const type = String(answer.headers['content-type'] ?? '').split(';', 1)[0]!;
  if (answer.text === '' || method === 'head') return faults;
  if (described.content?.[type] === undefined) return [...faults, `${where}: ${type} is not described`];
  if (!type.endsWith('json')) return faults;
  const pointer = ['paths', path, method, 'responses', answer.status, 'content', type, 'schema']
    .map((step) => encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.getSchema(`openapi#/${pointer}`);
  if (validate === undefined) throw new Error(`there is no schema at ${pointer}`);
  if (validate(JSON.parse(answer.text))) return faults;
  return [...faults, `${where}: ${ajv.errorsText(validate.errors)}: ${answer.text}`];
}
