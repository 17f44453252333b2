/** Types of src/protocol/words. The browser gets the compiled file, since it cannot resolve package names. */
export { holdKinds, weightiest, type HoldKind } from '#quiesce/protocol/words.js';
