/** Lists the keys of the documents that a plan writes, as the feed has them, for apps that cache these documents. */
import { bareElement, bsonType } from './bson/elements.ts';
import { isNumber } from './bson/numbers.ts';
import { valueToJson } from './bson/to-json.ts';
import type { Plan } from './plan.ts';

/** The largest number of keys in the list. It is sent to every worker. */
const mostKeys = 1_000;
/** The largest length of the list, in characters of JSON. */
const mostText = 64 * 1024;

/** Returns null if there are too many keys, or if a number in a key would lose digits. */
export function changedKeys(plan: Pick<Plan, 'size' | 'keys'>): unknown[] | null {
  if (plan.size > mostKeys) return null;
  const keys: unknown[] = [];
  let length = 0;
  for (const bytes of plan.keys()) {
    const id = bareElement(bytes);
    const text = valueToJson(id.bytes, id.type, id.value, id.end);
    length += text.length;
    const mayLose = isNumber(id.type) || id.type === bsonType.object;
    if (length > mostText || (mayLose && /\d{16}/.test(text))) return null;
    keys.push(JSON.parse(text));
  }
  return keys;
}
