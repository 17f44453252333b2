/** What the schema of the configuration says of each setting. */
import { appSchema } from '#quiesce/config/schema.js';
import { allowedWords } from '#quiesce/config/kinds.js';
import { z } from 'zod';

export interface Setting {
  /** Such as `quiesce.sync.key`. */
  readonly path: string;
  /** What it takes, in words. */
  readonly takes: string;
  /** As a user would write it; null where there is none. */
  readonly default: string | null;
  readonly description: string;
}

export function settings(): Setting[] {
  return settingsOf(appSchema, '');
}

/** An object, through its default, an optional, or a union whose last member it is. */
function objectIn(schema: z.core.$ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  if (schema instanceof z.ZodUnion) return objectIn(schema.options.at(-1)!);
  return schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional ? objectIn(schema.unwrap()) : undefined;
}

function settingsOf(schema: z.ZodObject, prefix: string): Setting[] {
  return Object.entries(schema.shape).flatMap(([name, member]: [string, z.ZodType]): Setting[] => {
    const path = prefix + name;
    const section = objectIn(member);
    if (section !== undefined) return settingsOf(section, `${path}.`);
    return [{ path, takes: takes(member), default: defaultOf(member), description: member.description ?? '' }];
  });
}

function takes(schema: z.core.$ZodType): string {
  const words = allowedWords.get(schema)?.allowed;
  if (words !== undefined) return words;
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) return takes(schema.unwrap());
  throw new Error('a setting is of no kind of src/config/kinds.ts');
}

function defaultOf(schema: z.ZodType): string | null {
  if (!(schema instanceof z.ZodPrefault)) return null;
  const value = schema.def.defaultValue;
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? `'${value}'` : String(value);
  return Object.keys(value).length === 0 ? (Array.isArray(value) ? '[]' : '{}') : JSON.stringify(value);
}
