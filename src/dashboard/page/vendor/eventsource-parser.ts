/** Types of eventsource-parser. The browser gets the file of the package, since it cannot resolve package names. */
export { createParser } from 'eventsource-parser';
