/** The site document as it is stored. */
import * as z from '../vendor/zod.ts';
import { mirrored } from '../protocol/workers/messages.ts';
import { pass } from '../protocol/hold/pass-schema.ts';
import { namesOf, runKinds } from '../protocol/words.ts';
import { siteMoves } from './document.ts';

const ref = z.looseObject({ host: z.string(), incarnation: z.string() });
/** Loose, so that fields of a later version stay as they are. */
const operator = z.looseObject({
  reason: z.string(),
  since: z.number(),
  until: z.number().nullable(),
  by: z.string().nullable(),
  pass: pass.optional(),
  waiters: z.array(z.looseObject({ ...ref.shape, id: z.string() })),
});
const scheduled = z.looseObject({
  at: z.number(),
  lasts: z.number().nullable(),
  reason: z.string().nullable(),
  by: z.string().nullable(),
  pass: pass.optional(),
});
const reload = z.looseObject({
  id: z.string(),
  by: z.string().nullable(),
  left: z.array(z.string()),
  done: z.int(),
  of: z.int(),
  failed: z.looseObject({ host: z.string(), code: z.string(), why: z.string() }).nullable(),
});
const run = z.looseObject({
  id: z.string(),
  kind: z.enum(namesOf(runKinds)),
  owner: z.looseObject({ ...ref.shape, name: z.string() }),
  stage: z.enum(namesOf(siteMoves)),
  epoch: z.int().nullable(),
  shared: z.boolean().optional(),
  keeps: z.looseObject({ reason: z.string(), by: z.string().nullable() }).optional(),
});
const host = z.looseObject({
  incarnation: z.string(),
  name: z.string(),
  lease: z.number(),
  rest: z.int(),
  version: z.string().optional(),
});
export const siteSchema = z.looseObject({
  format: z.int(),
  identity: z.string(),
  version: z.int(),
  epoch: z.int(),
  operator: operator.nullable(),
  scheduled: scheduled.nullable(),
  reload: reload.nullable(),
  run: run.nullable(),
  hosts: z.record(z.string(), host),
  ticks: z.record(z.string(), z.looseObject({ ...ref.shape, at: z.number() })).optional(),
  mirrored: z.array(z.looseObject({ ...mirrored.omit({ keys: true }).shape, host: z.string() })).optional(),
  founded: z.number().optional(),
});
