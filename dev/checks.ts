/** Writes generated-*.js below dist/protocol: the schemas that workers, keepers and commands need, as code that needs nothing else. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { _, Ajv2020, type KeywordCxt } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import * as z from '#quiesce/vendor/zod.js';
import {
  execEnd,
  execStart,
  handedOver,
  handOverEnd,
  runList,
  stopAnswer,
  urls,
} from '#quiesce/protocol/api/answers.js';
import { toKeeper } from '#quiesce/protocol/keeper/messages.js';
import { lockOwner } from '#quiesce/protocol/lock-owner.js';
import { toWorker } from '#quiesce/protocol/workers/messages.js';
import { mirrorOptions } from '#quiesce/protocol/workers/mirror-job.js';
import { notifyTest } from '#quiesce/protocol/api/notify-test.js';
import { clusterStatus, problem, reloadAnswer, runRecord } from '#quiesce/protocol/api/runs.js';

/** To JSON Schema a Map or a Date is an object; zod's records, which may have any members, take plain ones only. */
const plain = {
  keyword: 'plain',
  type: 'object',
  schemaType: 'boolean',
  error: { message: 'must be a plain object' },
  code(context: KeywordCxt) {
    const prototype = context.gen.const('prototype', _`Object.getPrototypeOf(${context.data})`);
    context.fail(_`${prototype} !== null && Object.getPrototypeOf(${prototype}) !== null`);
  },
} as const;

/** What several of them have in common is written once, and compiled once. */
function schemasOf(types: Readonly<Record<string, z.ZodType>>): Record<string, object> {
  const named = z.registry<{ id: string }>();
  for (const [id, type] of Object.entries(types)) named.add(type, { id });
  const { schemas } = z.toJSONSchema(named, {
    io: 'input',
    reused: 'ref',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === 'record') jsonSchema['plain'] = true;
      delete jsonSchema.description; // for people
    },
  });
  for (const [id, type] of Object.entries(types)) {
    // What is no object has no discriminator, and would pass.
    if (type instanceof z.ZodDiscriminatedUnion)
      Object.assign(schemas[id]!, { type: 'object', discriminator: { propertyName: 'type' } });
  }
  return schemas;
}

/** @param allErrors else the first: of an answer of one's own primary that is enough, and the code is smaller */
function write(file: string, types: Readonly<Record<string, z.ZodType>>, allErrors = true): void {
  const ajv = new Ajv2020({
    keywords: [plain],
    schemas: Object.entries(schemasOf(types)).map(([$id, schema]) => ({ ...schema, $id })),
    discriminator: true,
    validateFormats: false, // what zod takes for a description only
    strictTypes: false, // zod unites types
    unicode: false, // else the code would load Ajv to count characters; nothing here is longer than 1
    logger: false,
    allErrors,
    messages: allErrors,
    useDefaults: true,
    code: { source: true, esm: true },
  });
  const code = standalone.default(ajv, Object.fromEntries(Object.keys(types).map((name) => [name, name])));
  if (code.includes('require(')) throw new Error('the checks would load a part of Ajv, which is not there');
  writeFileSync(fileURLToPath(import.meta.resolve(`#quiesce/protocol/${file}.js`)), code);
}

write('workers/generated-checks', { toWorker, mirrorOptions });
write('keeper/generated-checks', { toKeeper });
write('generated-owner-check', { lockOwner }, false);
// Beside the others: to read the code of all takes a health check longer than to ask.
write('api/generated-status-checks', { clusterStatus, problem }, false);
const orders = { execEnd, execStart, handedOver, handOverEnd, stopAnswer };
const answers = { ...orders, notifyTest, reloadAnswer, runList, runRecord, urls };
write('api/generated-answer-checks', answers, false);
