/** For `mocha --require`: what a MongoDB needs is fetched and installed while those tests run that have none. */
import { findMongod, toStderr } from '../../../../dev/mongodb/find.ts';

export function mochaGlobalSetup(): void {
  if (process.env['MONGODB_URI']) return;
  // Where it fails, the first test that needs one tries again, and says why it cannot have one.
  findMongod(toStderr).catch(() => {});
}
