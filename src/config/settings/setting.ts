/** The declaration of a setting, and the types that follow from all declarations. */
import type * as z from '../../vendor/zod.ts';

/** The processes that use the value. A worker gets only the values that it reads. */
export type Reader = 'primary' | 'worker';

/**
 * How a changed value reaches a running app: the primary uses it at once, new workers replace the old ones, or a new
 * primary has to start.
 */
export type Change = 'in-place' | 'new-workers' | 'new-primary';

/** Stands for a default that is computed when the configuration is resolved, such as a name from the script's name. */
export const atStart: unique symbol = Symbol('atStart');

/** Stands for the default of a setting that is required. */
export const required: unique symbol = Symbol('required');

export interface Facts<Value, Default, By extends Reader> {
  /** The default as a user would write it. If it is null, the value is null. */
  readonly default: Default;
  /** The processes that read the value. Empty for a short form of another setting. */
  readonly readBy: readonly By[];
  readonly change: Change;
  /** The text for docs/configuration.md. */
  readonly docs: string;
  /** Returns the part of a secret that may be shown. No error repeats the value of such a setting. */
  readonly shown?: (value: Value) => unknown;
}

export class Setting<Value = unknown, Default = unknown, By extends Reader = Reader> {
  /** The kind of its values: from src/config/values/kinds.ts, or made with `kind()`. It also names the unit. */
  readonly kind: z.ZodType<Value>;
  readonly default: Default;
  readonly readBy: readonly By[];
  readonly change: Change;
  readonly docs: string;
  readonly shown: ((value: never) => unknown) | null;

  constructor(kind: z.ZodType<Value>, facts: Facts<Value, Default, By>) {
    this.kind = kind;
    this.default = facts.default;
    this.readBy = facts.readBy;
    this.change = facts.change;
    this.docs = facts.docs;
    this.shown = facts.shown ?? null;
  }
}

export function setting<Value, const Default, const By extends Reader = never>(
  kind: z.ZodType<Value>,
  facts: Facts<Value, Default, By>,
): Setting<Value, Default, By> {
  return new Setting(kind, facts);
}

/** A section that `false` switches off. Its value is then null. */
export class Switchable<Members extends Section = Section> {
  readonly members: Members;

  constructor(members: Members) {
    this.members = members;
  }
}

/** Settings by name, as in the file. */
export interface Section {
  readonly [name: string]: Setting | Switchable | Section;
}

type Word<Name extends string> = Name extends 'websocket' ? 'webSocket' : Name;

/** The name in code of a setting: `max_bytes` is `maxBytes`. */
export type CodeName<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${Word<First>}${Capitalize<CodeName<Rest>>}`
  : Word<Name>;

export function codeName(name: string): string {
  return name
    .replace(/^websocket(?=_|$)/, 'webSocket')
    .replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The result of the schema for a section that a user wrote. */
export type Parsed<S extends Section> = {
  readonly [Name in keyof S]: S[Name] extends Setting<infer Value, infer Default>
    ? Default extends null | typeof atStart
      ? Value | undefined
      : Value
    : S[Name] extends Switchable<infer Members>
      ? Parsed<Members> | false
      : S[Name] extends Section
        ? Parsed<S[Name]>
        : never;
};

/** Whether a process reads the setting. */
type IsRead<Member> =
  Member extends Setting<infer _Value, infer _Default, infer By> ? ([By] extends [never] ? false : true) : true;

/** A section as code reads it. `Open` is the type of a default that is not computed yet. */
export type Values<S extends Section, Open = never> = {
  readonly [Name in keyof S & string as IsRead<S[Name]> extends true ? CodeName<Name> : never]: S[Name] extends Setting<
    infer Value,
    infer Default
  >
    ? Default extends null
      ? Value | null
      : Default extends typeof atStart
        ? Value | Open
        : Value
    : S[Name] extends Switchable<infer Members>
      ? Values<Members, Open> | null
      : S[Name] extends Section
        ? Values<S[Name], Open>
        : never;
};

/** Whether a worker gets the setting, or a part of the section. */
type IsTold<Member> =
  Member extends Setting<infer _Value, infer _Default, infer By>
    ? 'worker' extends By
      ? true
      : false
    : Member extends Switchable
      ? false
      : Member extends Section
        ? true extends { [Name in keyof Member]: IsTold<Member[Name]> }[keyof Member]
          ? true
          : false
        : false;

/** The part of a section that a worker gets. */
export type Told<S extends Section> = {
  readonly [Name in keyof S & string as IsTold<S[Name]> extends true ? CodeName<Name> : never]: S[Name] extends Setting<
    infer Value,
    infer Default
  >
    ? Default extends null
      ? Value | null
      : Value
    : S[Name] extends Section
      ? Told<S[Name]>
      : never;
};
