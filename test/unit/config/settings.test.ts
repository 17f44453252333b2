import { expect } from 'chai';
import { loadConfig } from '#quiesce/config/load.js';
import { allSettings } from '#quiesce/config/settings/schema.js';
import { toldToWorkers, withoutSecrets } from '#quiesce/config/settings/told.js';
import { foreignSettings } from '#quiesce/config/foreign.js';
import type { AppConfig } from '#quiesce/config.js';
import { scratchFolders } from '../scratch.ts';

/** Every value in an object of objects, by its path. */
function paths(value: unknown, path: readonly string[] = []): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path.join('.')];
  const members = Object.entries(value);
  return members.length === 0 ? [path.join('.')] : members.flatMap(([name, each]) => paths(each, [...path, name]));
}

const declared = (reader: 'primary' | 'worker' | null): string[] =>
  allSettings()
    .filter(({ setting }) => (reader === null ? setting.readBy.length > 0 : setting.readBy.includes(reader)))
    .map(({ codePath }) => codePath.join('.'));

const scratch = scratchFolders();

async function configured(app: object): Promise<AppConfig> {
  const folder = scratch({
    'app.js': '',
    'ecosystem.config.json': JSON.stringify({ apps: [{ script: 'app.js', ...app }] }),
  });
  return (await loadConfig('ecosystem.config.json', { folder, processEnv: {} })).apps[0]!;
}

describe('the declaration of a setting', () => {
  it('puts it into the configuration, into what workers are told where they read it, and nowhere else', async () => {
    const config = await configured({});
    expect(paths(config)).to.have.members(declared(null));
    expect(paths(toldToWorkers(config))).to.have.members(declared('worker'));
    expect(paths(foreignSettings({}))).to.have.members([...declared('worker'), 'spoolDir']);
  });

  it('says what of a secret may be shown', async () => {
    const config = await configured({
      env: { PASSWORD: 'hidden' },
      quiesce: { mongodb: { uri: 'mongodb://user:hidden@localhost/db' }, sync: { token: 'hidden' } },
    });
    expect(withoutSecrets(config)).to.deep.include({
      env: ['PASSWORD'],
      mongodb: { uri: 'mongodb://…@localhost/db', db: null },
    });
    expect(JSON.stringify(withoutSecrets(config))).not.to.include('hidden');
    expect(JSON.stringify(config)).to.include('hidden');
  });

  it('that tells a worker needs new workers at least to change', () => {
    const wrong = allSettings().filter(
      ({ setting }) => setting.readBy.includes('worker') && setting.change === 'in-place',
    );
    expect(wrong.map(({ path }) => path.join('.'))).to.deep.equal([]);
  });
});
