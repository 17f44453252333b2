/** Loads the app's `transform` and `validate`. */
import { fileURLToPath } from 'node:url';
import { QuiesceError } from '../../../errors.ts';
import type { ItemSteps } from './messages.ts';
import { validatorOf, type Validator } from './validator.ts';

export interface LoadedSteps {
  readonly transform: ((item: unknown, index: number) => unknown) | null;
  readonly validate: Validator | null;
}

/** @throws QuiesceError `run-failed` that names the module and what is wrong with it */
export async function loadSteps({ transform, validate }: ItemSteps): Promise<LoadedSteps> {
  return {
    transform: transform === undefined ? null : await loadTransform(transform),
    validate: validate === undefined ? null : await loadValidator(validate),
  };
}

async function loadTransform(url: string): Promise<LoadedSteps['transform']> {
  const found = await exported(url, 'transform');
  if (typeof found !== 'function') throw unusable('transform', url, 'it exports no function');
  return found as LoadedSteps['transform'];
}

async function loadValidator(given: string | object): Promise<Validator> {
  const found = typeof given === 'string' ? await exported(given, 'validate') : given;
  try {
    return await validatorOf(found);
  } catch (cause) {
    throw unusable('validate', typeof given === 'string' ? given : 'its schema', messageOf(cause), cause);
  }
}

/** The export of that name, otherwise the default one, of an ESM or a CommonJS module. */
async function exported(url: string, name: 'transform' | 'validate'): Promise<unknown> {
  let module: Record<string, unknown>;
  try {
    module = (await import(url)) as Record<string, unknown>;
  } catch (cause) {
    throw unusable(name, url, messageOf(cause), cause);
  }
  const { default: whole } = module;
  const inner = (whole ?? {}) as Record<string, unknown>;
  const found = module[name] ?? inner[name] ?? inner['default'] ?? whole;
  if (found === undefined) throw unusable(name, url, `it has neither an export named ${name} nor a default one`);
  return found;
}

function unusable(option: string, where: string, why: string, cause?: unknown): QuiesceError {
  const place = where.startsWith('file:') ? fileURLToPath(where) : where;
  return new QuiesceError('run-failed', `mirror(): ${option} cannot use ${place}: ${why}. Nothing was changed.`, {
    cause,
  });
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
