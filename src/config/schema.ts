/** All settings of one app, as they stand in the file, and the schema that follows from them. */
import { z } from 'zod';
import { ownSettings } from './own-settings.ts';
import { pm2Settings } from './pm2-settings.ts';
import { atStart, codeName, required, Setting, Switchable, type Parsed, type Section, type Values } from './setting.ts';

/** The names at the top of an app in the file; `quiesce` holds quiesce's own. */
export const settings = { ...pm2Settings, quiesce: ownSettings } as const;

export type ParsedApp = Parsed<typeof settings>;

// An unknown name at the top is found before, with PM2's names in mind (names.ts).
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
  /** As in the file, such as `quiesce`, `sync`, `max_bytes`. */
  readonly path: readonly string[];
  /** As in `AppConfig`, such as `sync`, `maxBytes`. */
  readonly codePath: readonly string[];
  readonly setting: Setting;
}

/** Every setting, in the order of the declarations. */
export function allSettings(section: Section = settings, path: readonly string[] = []): Found[] {
  return Object.entries(section).flatMap(([name, member]): Found[] => {
    const here = [...path, name];
    if (!(member instanceof Setting)) return allSettings(membersOf(member), here);
    return [{ path: here, codePath: (here[0] === 'quiesce' ? here.slice(1) : here).map(codeName), setting: member }];
  });
}

/** The names that the section at `path` of the file knows. */
export function namesIn(path: readonly PropertyKey[]): string[] {
  const member = memberAt(path);
  return member === undefined || member instanceof Setting ? [] : Object.keys(membersOf(member));
}

/** The setting whose value, or a part of it, stands at `path` of the file. */
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

/** A parsed section under the names of the code; what is not set is null, and so is what is worked out at start. */
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
