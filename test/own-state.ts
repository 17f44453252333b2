/** For `mocha --require`: what is started without a data directory of its own leaves nothing in the home of a developer. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const known = 'TEST_STATE_HOME';

// The processes that mocha runs files in inherit it from the first one.
if (process.env[known] === undefined) {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'qs-'));
  process.env[known] = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
}
process.env['XDG_STATE_HOME'] = process.env[known];
delete process.env['STATE_DIRECTORY'];
