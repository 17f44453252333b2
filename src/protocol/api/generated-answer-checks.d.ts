/** Written by the build (dev/checks.ts): code that Ajv makes of the schemas. */
import type { ExecEnd, ExecStart, HandedOver, HandOverEnd, RunList, StopAnswer, Urls } from './answers.ts';
import type { Check } from '../check.ts';
import type { NotifyTest } from './notify-test.ts';
import type { ReloadAnswer, RunRecord } from './runs.ts';

export const execEnd: Check<ExecEnd>;
export const execStart: Check<ExecStart>;
export const handedOver: Check<HandedOver>;
export const handOverEnd: Check<HandOverEnd>;
export const notifyTest: Check<NotifyTest>;
export const reloadAnswer: Check<ReloadAnswer>;
export const runList: Check<RunList>;
export const runRecord: Check<RunRecord>;
export const stopAnswer: Check<StopAnswer>;
export const urls: Check<Urls>;
