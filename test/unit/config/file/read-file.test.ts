import { expect } from 'chai';
import path from 'node:path';
import { loadConfig } from '#quiesce/config/load.js';
import type { QuiesceError } from '#quiesce/errors.js';
import { scratchFolders } from '../../scratch.js';

const scratch = scratchFolders();

async function refusal(loading: Promise<unknown>): Promise<QuiesceError> {
  return loading.then(
    () => expect.fail('it was accepted'),
    (error: QuiesceError) => error,
  );
}

describe('a configuration file', () => {
  it('reads every form of the file', async () => {
    const app = `{ name: 'web', script: './app.js' }`;
    const forms: Record<string, string> = {
      'ecosystem.config.js': `export default { apps: [${app}] };`,
      'a.config.mjs': `export const apps = [${app}];`,
      'b.config.cjs': `module.exports = { apps: [${app}] };`,
      'c.config.cjs': `module.exports = [${app}];`,
      'd.config.cjs': `exports.apps = ${app};`,
      'e.config.cjs': `module.exports = { pm2: [${app}] };`,
      'processes.json': `{ "apps": [{ "name": "web", "script": "./app.js" }] }`,
      'one.json': `{ "name": "web", "script": "./app.js" }`,
    };
    const folder = scratch({ ...forms, 'app.js': '', 'package.json': '{"type":"module"}' });
    for (const file of Object.keys(forms)) {
      const { apps } = await loadConfig(file, { folder, processEnv: {} });
      expect(
        apps.map(({ name, script }) => ({ name, script })),
        file,
      ).to.deep.equal([{ name: 'web', script: path.join(folder, 'app.js') }]);
    }
  });

  it('says what is wrong with a file that cannot be used', async () => {
    const folder = scratch({
      'package.json': '{"type":"module"}',
      'cjs.config.js': 'module.exports = { apps: [] };',
      'broken.config.js': 'export const apps = [\n  {,\n];',
      'throws.config.js': '\n\nthrow new Error("no such thing");',
      'broken.json': '{"apps": [',
      'empty.json': '{"apps": []}',
      'none.config.js': 'export const other = 1;',
      'strange.json': '{"apps": [3]}',
      'apps.yaml': 'apps: []',
      'missing.json': '{"apps": [{"script": "nowhere.js", "cwd": "."}]}',
      'folder.json': '{"apps": [{"script": "a.js", "cwd": "nowhere"}]}',
    });
    const why: Record<string, string> = {
      'cjs.config.js': 'rename it to .cjs',
      'broken.config.js': 'Unexpected token',
      'throws.config.js': 'no such thing (line 3)',
      'broken.json': 'JSON',
      'empty.json': 'its list of apps is empty',
      'none.config.js': 'has to export `apps`',
      'strange.json': 'has to be an object with a `script`',
      'apps.yaml': 'YAML is not read',
      'missing.json': 'nowhere.js, and there is no such file',
      'folder.json': 'nowhere, and there is no such folder',
      'absent.js': 'there is no such file',
      '.': 'is not a file',
    };
    for (const [file, reason] of Object.entries(why)) {
      const error = await refusal(loadConfig(file, { folder, processEnv: {} }));
      expect(error.exitCode, file).to.equal(2);
      expect(error.message, file).to.include(reason);
    }
    expect((await refusal(loadConfig(undefined, { folder }))).message).to.include('There is no ecosystem.config.js');
  });
});
