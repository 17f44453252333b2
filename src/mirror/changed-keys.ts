/** The keys of the documents that a plan writes, as the feed has them: for those who cache these documents. */
import { bsonType, Elements } from './bson/elements.ts';
import { isNumber } from './bson/numbers.ts';
import { valueToJson } from './bson/to-json.ts';
import type { Plan } from './plan.ts';

/** So many are named. The list goes to every worker. */
const mostKeys = 1_000;
/** And so many characters of JSON. */
const mostText = 64 * 1024;

/** Null where they are too many, or where a number among them would lose digits. */
export function changedKeys(plan: Pick<Plan, 'size' | 'keys'>): unknown[] | null {
  if (plan.size > mostKeys) return null;
  const keys: unknown[] = [];
  let length = 0;
  for (const bytes of plan.keys()) {
    const id = new Elements(bytes, -4);
    id.next();
    const text = valueToJson(id.bytes, id.type, id.value, id.end);
    length += text.length;
    const mayLose = isNumber(id.type) || id.type === bsonType.object;
    if (length > mostText || (mayLose && /\d{16}/.test(text))) return null;
    keys.push(JSON.parse(text));
  }
  return keys;
}
