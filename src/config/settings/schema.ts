/** All settings of one app, as in the file, and the schema that follows from them. */
import * as z from '../../vendor/zod.ts';
import { ownSettings } from './own-settings.ts';
import { pm2Settings } from './pm2-settings.ts';
import { atStart, codeName, required, Setting, Switchable, type Parsed, type Section, type Values } from './setting.ts';

/** The top-level names of an app in the file; `quiesce` contains quiesce's own settings. */
export const settings = { ...pm2Settings, quiesce: ownSettings } as const;

export type ParsedApp = Parsed<typeof settings>;

// names.ts has already found unknown top-level names; it also knows PM2's names.
export const appSchema: z.ZodType<ParsedApp> = z.object(
  shapeOf(settings),
) as z.ZodType<unknown> as z.ZodType<ParsedApp>;

function shapeOf(section: Section): z.ZodRawShape {
  return Object.fromEntries(Object.entries(section).map(([name, member]) => [name, schemaOf(member)]));
}

function schemaOf(member: Section[string]): z.ZodType {
  if (member instanceof Setting) {
    if (member.default === required) return member.kind;
    if (member.default === null || member.default === atStart) return member.kind.optional();
    return member.kind.prefault(member.default);
  }
  if (member instanceof Switchable)
    return z.union([z.literal(false), z.strictObject(shapeOf(member.members))]).prefault({});
  return z.strictObject(shapeOf(member)).prefault({});
}

export interface Found {
  /** The names in the file, such as `quiesce`, `sync`, `max_bytes`. */
  readonly path: readonly string[];
  /** The names in `AppConfig`, such as `sync`, `maxBytes`. */
  readonly codePath: readonly string[];
  readonly setting: Setting;
}

/** Returns all settings in the order of their declarations. */
export function allSettings(section: Section = settings, path: readonly string[] = []): Found[] {
  return Object.entries(section).flatMap(([name, member]): Found[] => {
    const here = [...path, name];
    if (!(member instanceof Setting)) return allSettings(membersOf(member), here);
    return [{ path: here, codePath: (here[0] === 'quiesce' ? here.slice(1) : here).map(codeName), setting: member }];
  });
}

/** Returns the names in the section at `path` of the file. */
export function namesIn(path: readonly PropertyKey[]): string[] {
  const member = memberAt(path);
  return member === undefined || member instanceof Setting ? [] : Object.keys(membersOf(member));
}

/** Returns the setting whose value, or a part of its value, is at `path` of the file. */
export function settingAt(path: readonly PropertyKey[]): Setting | undefined {
  const member = memberAt(path);
  return member instanceof Setting ? member : undefined;
}

function memberAt(path: readonly PropertyKey[]): Section[string] | undefined {
  let member: Section[string] | undefined = settings;
  for (const key of path) {
    if (member === undefined || member instanceof Setting) return member;
    const section: Section = membersOf(member);
    member = Object.hasOwn(section, key) ? section[String(key)] : undefined;
  }
  return member;
}

function membersOf(member: Switchable | Section): Section {
  return member instanceof Switchable ? member.members : member;
}

/** Returns a parsed section with the names of the code. Values that are not set, or are computed at start, are null. */
export function valuesOf<S extends Section>(section: S, parsed: Parsed<S>): Values<S, null> {
  const values: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(section as Section)) {
    const value: unknown = parsed[name];
    if (member instanceof Setting) {
      if (member.readBy.length > 0) values[codeName(name)] = value ?? null;
    } else values[codeName(name)] = value === false ? null : valuesOf(membersOf(member), value as Parsed<Section>);
  }
  return values as Values<S, null>;
}
