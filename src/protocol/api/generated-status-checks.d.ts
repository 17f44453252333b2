/** Written by the build (dev/checks.ts): code that Ajv makes of the schemas. */
import type { Check } from '../check.ts';
import type { ClusterStatus, ProblemRecord } from './runs.ts';

export const clusterStatus: Check<ClusterStatus>;
export const problem: Check<ProblemRecord>;
