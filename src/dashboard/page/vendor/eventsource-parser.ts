// The file itself is served from the eventsource-parser package; a browser knows no package names.
export { createParser } from 'eventsource-parser';
