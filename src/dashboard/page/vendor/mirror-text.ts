/** Types of src/protocol/mirror-text. The browser gets the compiled file, since it cannot resolve package names. */
export { mirrorText, originText } from '#quiesce/protocol/feed/mirror-text.js';
