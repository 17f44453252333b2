/** Writes dist/protocol/generated-checks.js: the schemas that a worker needs, as code that needs nothing else. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';
import { z } from 'zod';
import { toWorker } from '#quiesce/protocol/messages.js';
import { mirrorOptions } from '#quiesce/protocol/mirror-job.js';

const ajv = new Ajv2020({
  schemas: [
    {
      ...z.toJSONSchema(toWorker, { io: 'input' }),
      $id: 'toWorker',
      type: 'object', // else what is no object has no discriminator, and passes
      discriminator: { propertyName: 'type' },
    },
    { ...z.toJSONSchema(mirrorOptions, { io: 'input' }), $id: 'mirrorOptions' },
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
