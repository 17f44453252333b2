/**
 * What this package uses of zod, and nothing else of it. The build puts this into one file (dev/vendor.ts): zod has nine
 * megabytes and a hundred modules, which each install would get, and each start would load.
 */
export {
  array,
  boolean,
  discriminatedUnion,
  enum,
  int,
  literal,
  looseObject,
  NEVER,
  number,
  object,
  preprocess,
  prettifyError,
  record,
  registry,
  strictObject,
  string,
  toJSONSchema,
  union,
  unknown,
  url,
  ZodDiscriminatedUnion,
  ZodType,
} from 'zod';
export type * from 'zod';
