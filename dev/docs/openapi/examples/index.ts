/** Every example of the document, in the order in which one cluster, started for it, gives these answers. */
import * as admin from './admin.ts';
import * as app from './app.ts';
import type { Example } from './example.ts';
import { refusedFeeds } from './refusals.ts';

export const examples: readonly Example[] = [
  ...admin.beforeTheHold,
  ...app.whileHeld,
  ...admin.afterTheHold,
  ...app.feeds,
  ...admin.afterTheFeeds,
  ...app.moreFeeds,
  ...app.resources,
  ...refusedFeeds,
  ...admin.theEnd,
];
