import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { differencesBetween, takenByRunning } from '#quiesce/config/difference.js';
import { loadConfig } from '#quiesce/config/load.js';
import type { AppConfig } from '#quiesce/config.js';
import { changeOf, lineOf } from '#quiesce/primary/reload/words.js';
import { scratchFolders } from '../scratch.ts';

const scratch = scratchFolders();
const uri = 'mongodb://root:hunter2@db:27017/shop';

describe('what differs between two configurations', () => {
  let folder: string;
  beforeEach(() => (folder = scratch({ 'app.js': '' })));

  async function configured(app: object): Promise<AppConfig> {
    const file = JSON.stringify({ apps: [{ script: 'app.js', ...app }] });
    writeFileSync(path.join(folder, 'ecosystem.config.json'), file);
    return (await loadConfig('ecosystem.config.json', { folder, processEnv: {} })).apps[0]!;
  }

  async function lines(old: object, next: object): Promise<string[]> {
    const found = differencesBetween(await configured(old), await configured(next)).map(changeOf);
    return found.map((each) => `${lineOf(each)}${each.needsPrimary ? ' (new primary)' : ''}`);
  }

  it('has the names of the file, a variable each, and what only a new primary takes', async () => {
    const old = { instances: 2, env: { COLOR: 'red', GONE: '1' }, args: ['--a'], max_memory_restart: '1M' };
    const next = {
      instances: 4,
      env: { COLOR: 'blue', NEW: '2' },
      args: '--a --b',
      quiesce: { sync: { max_bytes: '1K' }, scheduling: 'rr', admin: false, websocket_timeout: '2s' },
    };
    expect(await lines(old, next)).to.have.members([
      'args: --a → --a --b',
      'instances: 2 → 4',
      'env.COLOR: red → blue',
      'env.GONE: 1 → not set',
      'env.NEW: not set → 2',
      'max_memory_restart: 1048576 → not set',
      'quiesce.scheduling: os → rr (new primary)',
      'quiesce.sync.max_bytes: 1073741824 → 1024',
      'quiesce.websocket_timeout: 1000 → 2000',
      'quiesce.admin.host: 127.0.0.1 → not set',
      'quiesce.admin.port: 9615 → not set',
    ]);
    expect(await lines(old, old)).to.deep.equal([]);
    expect(await lines({ port: 1 }, { port: 2 })).to.deep.equal(['env.PORT: 1 → 2']);
  });

  it('shows no secret', async () => {
    const old = {
      args: ['--token=hunter2'],
      env: { API_KEY: 'hunter2', STRIPE: 'sk_live_hunter2hunter2hunter2', REDIS: 'redis://me:hunter2@redis/0' },
      quiesce: { sync: { token: 'hunter2' }, mongodb: { uri } },
    };
    const found = await lines(old, {});
    expect(found).to.have.length(6);
    expect(found.join('\n')).not.to.include('hunter2');
    expect(found).to.include('env.API_KEY: (hidden) → not set');
    expect(found.join('\n')).to.include('env.REDIS: redis://me:***@redis/0 → not set');
  });

  it('leaves what only a new primary takes as it was, and with the database the variable that names it', async () => {
    const old = await configured({ env: { MONGODB_URI: uri, COLOR: 'red' } });
    const next = await configured({
      name: 'other',
      env: { MONGODB_URI: 'mongodb://elsewhere/', COLOR: 'blue' },
      quiesce: { scheduling: 'rr', data_dir: 'other', heartbeat: { timeout: '1m' } },
    });
    const taken = takenByRunning(old, next);
    expect(taken.env).to.deep.equal({ MONGODB_URI: uri, COLOR: 'blue' });
    expect(taken.heartbeat.timeout).to.equal(60_000);
    const { name, dataDir, scheduling, mongodb } = old;
    expect(taken).to.deep.include({ name, dataDir, scheduling, mongodb });
    expect(next.name, 'and leaves the new one as it is').to.equal('other');
  });
});
