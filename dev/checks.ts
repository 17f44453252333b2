/** Writes dist/protocol/generated-*.js: the schemas that a worker or a keeper needs, as code that needs nothing else. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { _, Ajv2020, type KeywordCxt } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import { z } from 'zod';
import { toKeeper } from '#quiesce/protocol/keeper.js';
import { toWorker } from '#quiesce/protocol/messages.js';
import { mirrorOptions } from '#quiesce/protocol/mirror-job.js';

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

function schemaOf(type: z.ZodType): object {
  return z.toJSONSchema(type, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      if (zodSchema._zod.def.type === 'record') jsonSchema['plain'] = true;
    },
  });
}

/** What is no object has no discriminator, and would pass. */
const union = (type: z.ZodType): object => ({
  ...schemaOf(type),
  type: 'object',
  discriminator: { propertyName: 'type' },
});

function write(file: string, schemas: Record<string, object>): void {
  const ajv = new Ajv2020({
    keywords: [plain],
    schemas: Object.entries(schemas).map(([$id, schema]) => ({ ...schema, $id })),
    discriminator: true,
    validateFormats: false, // what zod takes for a description only
    strictTypes: false, // zod unites types
    unicode: false, // else the code would load Ajv to count characters; nothing here is longer than 1
    logger: false,
    allErrors: true,
    useDefaults: true,
    code: { source: true, esm: true },
  });
  const code = standalone.default(ajv, Object.fromEntries(Object.keys(schemas).map((name) => [name, name])));
  if (code.includes('require(')) throw new Error('the checks would load a part of Ajv, which is not there');
  writeFileSync(fileURLToPath(import.meta.resolve(`#quiesce/protocol/${file}.js`)), code);
}

write('generated-checks', { toWorker: union(toWorker), mirrorOptions: schemaOf(mirrorOptions) });
write('generated-keeper-checks', { toKeeper: union(toKeeper) });
