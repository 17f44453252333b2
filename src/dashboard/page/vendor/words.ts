/** Types of src/protocol/words. The browser gets the compiled file, since it cannot resolve package names. */
export { holdKinds, runKinds, runSteps, weightiest, type HoldKind, type RunStep } from '#quiesce/protocol/words.js';
