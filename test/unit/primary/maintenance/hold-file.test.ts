import { expect } from 'chai';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldFile } from '#quiesce/primary/maintenance/hold-file.js';

describe('the file of the operator hold', () => {
  let dir: string;
  let path: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quiesce-'));
    path = join(dir, 'maintenance.json');
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('gives back what was saved last, and nothing where nothing was', async () => {
    const file = new HoldFile(path);
    expect(await file.load(0)).to.deep.equal({ epoch: 0, operator: null });
    const operator = { reason: 'moving', since: 5, until: null, by: null };
    await Promise.all([file.save({ epoch: 1, operator: null }), file.save({ epoch: 2, operator })]);
    expect(await new HoldFile(path).load(10)).to.deep.equal({ epoch: 2, operator });
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  it('forgets a hold whose time has passed while nobody was there', async () => {
    const file = new HoldFile(path);
    await file.save({ epoch: 3, operator: { reason: '', since: 5, until: 100, by: null } });
    expect((await file.load(99)).operator).to.not.equal(null);
    expect(await file.load(100)).to.deep.equal({ epoch: 3, operator: null });
  });

  it('says what cannot be written, tells it once, and writes the last state as soon as it can', async () => {
    const told: Error[] = [];
    const file = new HoldFile(path, (error) => told.push(error));
    await file.save({ epoch: 1, operator: { reason: '', since: 5, until: null, by: null } });
    expect(file.problem).to.equal(null);
    await rm(dir, { recursive: true });
    for (let times = 0; times < 2; times++) await file.save({ epoch: 2, operator: null });
    await file.settled();
    expect(file.problem).to.match(/ENOENT/);
    expect(told).to.have.lengthOf(1);
    await mkdir(dir);
    await file.settled();
    expect(file.problem).to.equal(null);
    expect(await new HoldFile(path).load(10)).to.deep.equal({ epoch: 2, operator: null });
    await file.close();
  });

  it('does not open gates because the file cannot be read', async () => {
    for (const text of ['', '{', '{"epoch":"1","operator":null}', '[]']) {
      await writeFile(path, text);
      let error: unknown;
      await new HoldFile(path).load(0).catch((caught: unknown) => (error = caught));
      expect(error, text).to.include({ code: 'data-dir-unusable' });
    }
  });
});
