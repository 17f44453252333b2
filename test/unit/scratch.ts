import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after } from 'mocha';

/**
 * A folder for each test that asks for one. Call once in a `describe`: they are removed after its last test, when each
 * `afterEach` has ended what still writes there, whatever the order of the hooks.
 */
export function scratchFolders(): (files?: Readonly<Record<string, string>>) => string {
  const made: string[] = [];
  after('the folders removed', () => {
    for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  return (files = {}) => {
    const folder = realpathSync(mkdtempSync(path.join(os.tmpdir(), 'quiesce-test-')));
    made.push(folder);
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), content);
    }
    return folder;
  };
}
