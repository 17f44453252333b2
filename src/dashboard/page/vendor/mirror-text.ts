/** Types of src/protocol/mirror-text. The browser gets the compiled file, since it cannot resolve package names. */
export { mirrorText } from '#quiesce/protocol/feed/mirror-text.js';
