import { join } from 'node:path';
import { expect } from 'chai';
import { dataDirsIn } from '#quiesce/config/data-dirs.js';
import { loadConfig } from '#quiesce/config/load.js';
import { scratchFolders } from '../scratch.js';

const scratch = scratchFolders();

describe('the data directories that a configuration names, told without checking it', () => {
  const both = async (file: string | undefined, folder: string): Promise<[string[] | null, string[]]> => [
    await dataDirsIn(file, folder, undefined),
    (await loadConfig(file, { folder })).apps.map(({ dataDir }) => dataDir),
  ];

  for (const [what, apps] of Object.entries({
    'an app without a name': [{ script: 'app.js' }],
    'a name': [{ name: 'shop & co', script: 'app.js' }],
    'a name that is null': [{ name: null, script: 'app.js' }],
    "PM2's other names of the script": [
      { exec: 'app.js' },
      { name: 'b', cmd: 'app.js' },
      { name: 'c', command: 'app.js' },
    ],
    'a directory of its own': [{ script: 'app.js', quiesce: { data_dir: '../data' } }],
  })) {
    it(`are those that a start uses: ${what}`, async () => {
      const folder = scratch({ 'app.js': '', 'ecosystem.config.json': JSON.stringify({ apps }) });
      const [told, started] = await both(undefined, folder);
      expect(told).to.deep.equal(started);
    });
  }

  it('are those that a start uses: a script', async () => {
    const folder = scratch({ 'app.js': '' });
    const [told, started] = await both('app.js', folder);
    expect(told).to.deep.equal(started);
  });

  it('are told for a file that is broken elsewhere, since an operator has to reach the running app', async () => {
    const apps = [{ script: 'app.js', instances: 'many', quiesce: { data_dir: 'data', sync: 7 } }];
    const folder = scratch({ 'ecosystem.config.json': JSON.stringify({ apps }) });
    expect(await dataDirsIn(undefined, folder, undefined)).to.deep.equal([join(folder, 'data')]);
  });

  it('are left to the check where the file sets the place, as dotenv does', async () => {
    const config = `process.env.QUIESCE_DATA_DIR = ${JSON.stringify(join(scratch(), 'data'))};\nmodule.exports = { apps: [{ script: 'app.js' }] };`;
    const folder = scratch({ 'app.js': '', 'ecosystem.config.cjs': config });
    try {
      expect(await dataDirsIn('ecosystem.config.cjs', folder, undefined)).to.equal(null);
    } finally {
      delete process.env['QUIESCE_DATA_DIR'];
    }
  });

  it('are left to the check where they cannot be told', async () => {
    for (const app of [
      7,
      null,
      {},
      { script: 7 },
      { script: 'app.js', name: 7 },
      { script: 'app.js', quiesce: { data_dir: 7 } },
    ]) {
      const folder = scratch({ 'ecosystem.config.json': JSON.stringify({ apps: [app] }) });
      expect(await dataDirsIn(undefined, folder, undefined), JSON.stringify(app)).to.equal(null);
    }
    const folder = scratch({ 'app.js': '', 'ecosystem.config.json': JSON.stringify({ apps: [{ script: 'app.js' }] }) });
    expect(await dataDirsIn(undefined, folder, 'another'), 'no app of that name').to.equal(null);
  });
});
