import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { loadConfig } from '#quiesce/config/load.js';
import type { AppConfig } from '#quiesce/config.js';
import { Reloads, type ReloadedFleet } from '#quiesce/primary/reload/reloads.js';
import { scratchFolders } from '../../scratch.ts';

describe('a reload of the configuration', () => {
  const scratch = scratchFolders();

  async function configured(folder: string, app: object): Promise<AppConfig> {
    const text = JSON.stringify({ apps: [{ script: 'app.js', ...app }] });
    writeFileSync(path.join(folder, 'ecosystem.config.json'), text);
    return (await loadConfig('ecosystem.config.json', { folder, processEnv: {} })).apps[0]!;
  }

  const fleet: ReloadedFleet = {
    generation: 1,
    instances: 2,
    cutOff: { workers: 0, requests: 0 },
    forkWith: () => {},
    watchWith: () => {},
    reload: () => Promise.resolve(),
    scale: () => Promise.resolve(),
  };

  it('warns of what it leaves out: its caller, whoever it is, and the log; a preview too', async () => {
    const folder = scratch({ 'app.js': '' });
    const inForce = { config: await configured(folder, {}) };
    const found = await configured(folder, { instances: 2, quiesce: { mongodb: { db: 'other' } } });
    const asked: AppConfig[] = [];
    const warned: unknown[] = [];
    const reloads = new Reloads({
      read: () => Promise.resolve(found),
      inForce,
      fleet,
      canBeReplacedBy: (config) => asked.push(config) > 0,
      prepareAdmin: () => Promise.reject(new Error('not asked')),
      onChange: () => {},
      log: { info: () => {}, error: () => {}, warn: (text: unknown) => void warned.push(text) },
    });
    const warnings = ['Only a new primary takes quiesce.mongodb.db: quiesce reload --primary'];
    const preview = await reloads.preview();
    expect(preview.warnings).to.deep.equal(warnings);
    expect(warned).to.deep.equal([]);
    expect((await reloads.reload()).warnings).to.deep.equal(preview.warnings);
    expect(warned).to.deep.equal(preview.warnings);
    expect(asked).to.deep.equal([found, found]);
    expect(inForce.config.mongodb.db).to.not.equal('other');
  });
});
