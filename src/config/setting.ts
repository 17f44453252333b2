/** What one declaration says of a setting, and the types that follow from all of them. */
import type { z } from 'zod';

/** The processes that use the value. A worker is told the values that it reads, and no others. */
export type Reader = 'primary' | 'worker';

/**
 * What it takes to change the value for an app that runs: the primary takes it over as it is, new workers replace the
 * old ones, or a new primary has to start.
 */
export type Change = 'in-place' | 'new-workers' | 'new-primary';

/** Stands for a default that is worked out when the configuration is resolved, such as a name from the script's. */
export const atStart: unique symbol = Symbol('atStart');

/** Stands for the default of a setting that has to be there. */
export const required: unique symbol = Symbol('required');

export interface Facts<Value, Default, By extends Reader> {
  /** As a user would write it. Null where there is none: then the value is null. */
  readonly default: Default;
  /** Nobody reads a short form of another setting. */
  readonly readBy: readonly By[];
  readonly change: Change;
  /** For docs/configuration.md. */
  readonly docs: string;
  /** What of a secret may be shown. No error repeats the value of a setting that has this. */
  readonly shown?: (value: Value) => unknown;
}

export class Setting<Value = unknown, Default = unknown, By extends Reader = Reader> {
  /** What it takes: one of src/config/kinds.ts, or made with `kind()`. It names the unit too. */
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

/** A section that `false` switches off; its value is then null. */
export class Switchable<Members extends Section = Section> {
  readonly members: Members;

  constructor(members: Members) {
    this.members = members;
  }
}

/** Settings by name, as they stand in the file. */
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

/** What the schema makes of what a user wrote. */
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

/** Whether anybody reads it. */
type IsRead<Member> =
  Member extends Setting<infer _Value, infer _Default, infer By> ? ([By] extends [never] ? false : true) : true;

/** A section as code reads it. `Open` is what stands for a default that is not worked out yet. */
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

/** Whether a worker is told it, or something in it. */
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

/** The part of a section that a worker is told. */
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
