/**
 * Finds items that a unique index refuses, before the pause: in the pause MongoDB would name only the first.
 *
 * After the run, the collection holds the feed and, with a scope, the documents outside the scope. The writes can move
 * unique values between documents in any order, so only two documents of this final state can conflict.
 */
import type { Target } from '../database/target.ts';
import type { Plan } from '../plan.ts';
import { ItemKeys } from '../prepared/item-keys.ts';
import type { RunContext } from '../run-context.ts';
import { equalKeys, similarText, type Similar } from './collated.ts';
import { allItems, eachItem, markedItems } from './items-in-order.ts';
import type { Judge, Verdict } from './judge.ts';
import { readOutside } from './outside.ts';
import { markedMembers } from './partial.ts';
import { partsOf, textOf, type Parts, type PlainIndex } from './plain-index.ts';

/** More documents outside the scope than these are not kept for a comparison. */
const mostOutside = 10_000;

export class UniqueValues {
  readonly #context: RunContext;
  readonly #target: Target;
  readonly #index: PlainIndex;
  /** 1 for each item whose index key another item or a document outside the scope may have. */
  readonly #marks: Uint8Array;
  readonly #keys = new ItemKeys();
  /** Documents outside the scope with a similar key; the first has the number -1. */
  readonly #outside: Uint8Array[] = [];
  /** The keys of items that a document outside the scope has, if the index has no collation. */
  readonly #held = new Set<string>();
  /** The item whose keys were computed last. */
  #last: { readonly item: number; readonly keys: ReadonlySet<string> } = { item: -1, keys: new Set() };
  /** False if MongoDB alone can judge an item. */
  #isWhole = true;

  constructor(context: RunContext, target: Target, index: PlainIndex) {
    this.#context = context;
    this.#target = target;
    this.#index = index;
    this.#marks = new Uint8Array(context.feed.table.count);
  }

  async judge(plan: Plan): Promise<Verdict> {
    const judge = await this.#judge(plan);
    return { judge, isWhole: this.#isWhole };
  }

  async #judge(plan: Plan): Promise<Judge | null> {
    const marks = this.#marks;
    await eachItem(this.#context, allItems(this.#context.feed), (item) => this.#markShared(item));
    if (this.#target.filter) await this.#markHeld(plan);
    if (!marks.some(Boolean) || !(await this.#keepMembers())) return null;
    const keysOf = await this.#exactKeys();
    return keysOf && { marks, detail: this.#detail(keysOf) };
  }

  #markShared(item: number): void {
    for (const key of this.#keysOf(item)) {
      const earlier = this.#keys.take(item, key, this.#hasKey);
      if (earlier !== -1) this.#marks[earlier] = this.#marks[item] = 1;
    }
  }

  async #markHeld(plan: Plan): Promise<void> {
    const [context, target, index] = [this.#context, this.#target, this.#index];
    await readOutside({ context, target, index, items: plan.writtenItems() }, (bytes, at, end) => {
      const keys = partsOf(index, bytes, at);
      if (typeof keys === 'string') return;
      let isAny = false;
      for (const text of keys.map((parts) => this.#textOf(parts))) {
        const item = this.#keys.find(text, this.#hasKey);
        if (item === -1) continue;
        isAny = true;
        this.#marks[item] = 1;
        if (index.collation === null) this.#held.add(text);
      }
      if (!isAny || index.collation === null) return;
      if (this.#outside.length < mostOutside) this.#outside.push(Uint8Array.prototype.slice.call(bytes, at, end));
      else this.#isWhole = false;
    });
  }

  /** Forgets items that do not belong to a partial index. Resolves with false if MongoDB cannot tell which. */
  async #keepMembers(): Promise<boolean> {
    const members = await markedMembers(this.#context, this.#target, this.#index, this.#marks);
    if (members === null) this.#isWhole = false;
    else this.#marks.set(members);
    return members !== null;
  }

  /** Resolves with a function that returns the keys of an item, or of a document outside; null if MongoDB cannot tell. */
  async #exactKeys(): Promise<((number: number) => Iterable<string>) | null> {
    const { collation } = this.#index;
    if (collation === null) return (item) => this.#keysOf(item);
    const options = { target: this.#target, session: this.#context.session, collation, similar: this.#similar() };
    const equal = await equalKeys(options);
    if (equal === null) this.#isWhole = false;
    return equal && ((number) => equal.get(number) ?? []);
  }

  *#similar(): Generator<Similar> {
    const groups = new Map<string, number[]>();
    const numbers = [...markedItems(this.#marks), ...this.#outside.map((_, i) => -1 - i)];
    for (const number of numbers) {
      for (const text of new Set(this.#partsOf(number).map((parts) => this.#textOf(parts)))) {
        const group = groups.get(text);
        if (group) group.push(number);
        else groups.set(text, [number]);
      }
    }
    for (const [text, group] of groups) {
      if (group.length === 1) continue;
      const keysOf = (number: number): Parts[] => this.#partsOf(number).filter((parts) => this.#textOf(parts) === text);
      yield { numbers: group, keysOf };
    }
  }

  /** Call it for the marked items in the order of the feed. */
  #detail(keysOf: (number: number) => Iterable<string>): Judge['detail'] {
    const index = `the same value for the unique index ${this.#index.name}`;
    const held = new Set([...this.#held, ...this.#outside.flatMap((_, i) => [...keysOf(-1 - i)])]);
    const accepted = new Map<string, number>();
    return (item) => {
      const keys = [...keysOf(item)];
      for (const key of keys) {
        const earlier = accepted.get(key);
        if (earlier !== undefined) return `${this.#context.feed.at}/${earlier} has ${index}`;
      }
      if (keys.some((key) => held.has(key)))
        return `the collection has a document outside the scope of this mirror with ${index}`;
      for (const key of keys) accepted.set(key, item);
      return null;
    };
  }

  readonly #hasKey = (item: number, key: string): boolean => this.#keysOf(item).has(key);

  #keysOf(item: number): ReadonlySet<string> {
    if (this.#last.item !== item) {
      this.#last = { item, keys: new Set(this.#partsOf(item).map((parts) => this.#textOf(parts))) };
    }
    return this.#last.keys;
  }

  /** Valid until the next call. A document that no index of these fields can have has no keys. */
  #partsOf(number: number): Parts[] {
    const bytes = number < 0 ? this.#outside[-1 - number]! : this.#context.feed.whole(number);
    const keys = partsOf(this.#index, bytes, 0);
    if (keys === 'unknown') this.#isWhole = false;
    return typeof keys === 'string' ? [] : keys;
  }

  #textOf(parts: Parts): string {
    return this.#index.collation === null ? textOf(parts) : textOf(parts, similarText);
  }
}
