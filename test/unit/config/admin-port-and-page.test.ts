import { expect } from 'chai';
import { loadConfig, type LoadOptions } from '#quiesce/config/load.js';
import type { QuiesceError } from '#quiesce/errors.js';
import { scratchFolders } from '../scratch.js';

const scratch = scratchFolders();

function config(apps: unknown, more = ''): Record<string, string> {
  return {
    'package.json': '{"type":"module"}',
    'app.js': '',
    'ecosystem.config.js': `export const apps = ${JSON.stringify(apps)};\n${more}`,
  };
}

async function load(apps: unknown, options: LoadOptions = {}): Promise<Awaited<ReturnType<typeof loadConfig>>> {
  return loadConfig(undefined, { folder: scratch(config(apps)), processEnv: {}, ...options });
}

async function refusal(loading: Promise<unknown>): Promise<QuiesceError> {
  return loading.then(
    () => expect.fail('it was accepted'),
    (error: QuiesceError) => error,
  );
}

describe('loadConfig, of the admin port and the pause page', () => {
  it('takes the port of the admin server, which it then has', async () => {
    const admin = async (setting: unknown): Promise<unknown> => {
      const app = { script: 'app.js', quiesce: { admin: setting } };
      return (await load([app], { adminPort: '9700' })).apps[0]?.admin;
    };
    expect(await admin({ host: '::1', port: 1 })).to.deep.equal({ host: '::1', port: 9700 });
    expect(await admin(false)).to.deep.equal({ host: '127.0.0.1', port: 9700 });
    const two = [
      { name: 'a', script: 'app.js' },
      { name: 'b', script: 'app.js' },
    ];
    expect((await refusal(load(two, { adminPort: '9700' }))).message).to.include('--admin-port is for one app');
  });

  it('warns about names in the pause page that nothing is filled in for', async () => {
    const app = { script: 'app.js', quiesce: { maintenance: { page: 'page.html' } } };
    const folder = scratch({ ...config([app]), 'page.html': '{{ reason }} {{until}} {{minutes}}' });
    const { warnings } = await loadConfig(undefined, { folder, processEnv: {} });
    expect(warnings.join()).to.include('page has {{minutes}}, which stays empty');
  });
});
