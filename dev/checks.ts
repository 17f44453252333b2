/** Writes dist/protocol/generated-checks.js: the schemas that a worker needs, as code that needs nothing else. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { _, Ajv2020, type KeywordCxt } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import { z } from 'zod';
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

const ajv = new Ajv2020({
  keywords: [plain],
  schemas: [
    {
      ...schemaOf(toWorker),
      $id: 'toWorker',
      type: 'object', // else what is no object has no discriminator, and passes
      discriminator: { propertyName: 'type' },
    },
    { ...schemaOf(mirrorOptions), $id: 'mirrorOptions' },
  ],
  discriminator: true,
  validateFormats: false, // what zod takes for a description only
  strictTypes: false, // zod unites types
  unicode: false, // else the code would load Ajv to count characters; nothing here is longer than 1
  logger: false,
  allErrors: true,
  useDefaults: true,
  code: { source: true, esm: true },
});
const code = standalone.default(ajv, { toWorker: 'toWorker', mirrorOptions: 'mirrorOptions' });
if (code.includes('require(')) throw new Error('the checks would load a part of Ajv, which workers do not have');
writeFileSync(fileURLToPath(import.meta.resolve('#quiesce/protocol/generated-checks.js')), code);
