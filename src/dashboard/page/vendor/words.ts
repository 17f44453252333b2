// The file itself is served from src/protocol; a browser knows no package names.
export { holdKinds, weightiest, type HoldKind } from '#quiesce/protocol/words.js';
