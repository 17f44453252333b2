/** Makes one function from each form of `validate`: a function, a Standard Schema or a JSON Schema. */
import type { Ajv, ErrorObject, Options } from 'ajv';
import { pointerTo } from '../../../protocol/feed/json-pointer.ts';
import { isThenable } from '../../gate/events/attempt.ts';

export interface Fault {
  /** JSON Pointer (RFC 6901) into the item; empty for the whole. */
  readonly pointer: string;
  readonly detail: string;
}

/** Returns the faults of an item; none if it is valid. */
export type Validator = (item: unknown) => readonly Fault[] | Promise<readonly Fault[]>;

/** https://standardschema.dev, version 1: the part that is used. */
interface StandardSchema {
  readonly '~standard': {
    validate(value: unknown): StandardResult | Promise<StandardResult>;
  };
}
interface StandardResult {
  readonly issues?:
    | readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[]
    | undefined;
}

const none: readonly Fault[] = [];

/** @throws Error if it is none of these, or a schema that cannot be used */
export async function validatorOf(given: unknown): Promise<Validator> {
  if (isStandardSchema(given)) return standardValidator(given);
  if (typeof given === 'function') return functionValidator(given as (item: unknown) => unknown);
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return schemaValidator(given);
  throw new Error('it is neither a function nor a Standard Schema nor a JSON Schema');
}

function isStandardSchema(given: unknown): given is StandardSchema {
  const isObject = (typeof given === 'object' && given !== null) || typeof given === 'function';
  return isObject && typeof (given as Partial<StandardSchema>)['~standard']?.validate === 'function';
}

function standardValidator(schema: StandardSchema): Validator {
  const faultsIn = ({ issues }: StandardResult): readonly Fault[] =>
    issues === undefined
      ? none
      : issues.map(({ message, path = [] }) => ({
          pointer: pointerTo(path.map((part) => (typeof part === 'object' ? part.key : part))),
          detail: message,
        }));
  return (item) => {
    const result = schema['~standard'].validate(item);
    return result instanceof Promise ? result.then(faultsIn) : faultsIn(result);
  };
}

function functionValidator(validate: (item: unknown) => unknown): Validator {
  return (item) => {
    const result = validate(item);
    return isThenable(result) ? Promise.resolve(result).then(faultsOf) : faultsOf(result);
  };
}

/** The values that a function may return: nothing or true, false, a text, or a list of faults. */
function faultsOf(result: unknown): readonly Fault[] {
  if (result === undefined || result === null || result === true) return none;
  if (result === false) return [{ pointer: '', detail: 'it is not valid' }];
  if (typeof result === 'string') return [{ pointer: '', detail: result }];
  if (!Array.isArray(result))
    throw new TypeError(
      `validate returned ${typeof result}: it returns nothing, true, false, a text or a list of faults`,
    );
  return result.map((each: unknown) => {
    if (typeof each === 'string') return { pointer: '', detail: each };
    const { pointer = '', detail } = each as Partial<Fault>;
    return { pointer: String(pointer), detail: String(detail) };
  });
}

/** Checks formats, and reports the first fault of each item. */
async function schemaValidator(schema: object): Promise<Validator> {
  const { $schema: dialect = '' } = schema as { $schema?: string };
  const options: Options = { strict: false };
  const ajv = await ajvFor(dialect, options);
  const { default: formats } = await import('ajv-formats');
  (formats as unknown as (ajv: Ajv) => void)(ajv);
  const check = ajv.compile(schema);
  return (item) => (check(item) === true ? none : (check.errors ?? []).map(faultOf));
}

async function ajvFor(dialect: string, options: Options): Promise<Ajv> {
  if (/draft-0[67]/.test(dialect)) return new (await import('ajv')).Ajv(options);
  if (dialect.includes('2019-09')) return new (await import('ajv/dist/2019.js')).Ajv2019(options);
  return new (await import('ajv/dist/2020.js')).Ajv2020(options);
}

function faultOf({ instancePath, message = 'it is not valid', params }: ErrorObject): Fault {
  const { additionalProperty } = params as { additionalProperty?: string };
  return {
    pointer: instancePath,
    detail: additionalProperty === undefined ? message : `${message} (“${additionalProperty}”)`,
  };
}
