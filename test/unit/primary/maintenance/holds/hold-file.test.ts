import { expect } from 'chai';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HoldFile } from '#quiesce/primary/maintenance/holds/hold-file.js';

describe('the file of the operator hold', () => {
  const nothing = { epoch: 0, operator: null, scheduled: null };
  let dir: string;
  let path: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'quiesce-'));
    path = join(dir, 'maintenance.json');
  });
  afterEach(() => rm(dir, { recursive: true }));

  it('gives back what was saved last, and nothing where nothing was', async () => {
    const file = new HoldFile(path);
    expect(await file.load(0)).to.deep.equal({ ...nothing, epoch: 0, missed: null });
    const operator = { reason: 'moving', since: 5, until: null, by: null, pass: { word: 'open-sesame', key: 'k' } };
    await Promise.all([file.save({ ...nothing, epoch: 1 }), file.save({ ...nothing, epoch: 2, operator })]);
    expect(await new HoldFile(path).load(10)).to.deep.equal({ ...nothing, epoch: 2, operator, missed: null });
    expect((await stat(path)).mode & 0o777).to.equal(0o600);
  });

  it('forgets a hold whose time has passed while nobody was there', async () => {
    const file = new HoldFile(path);
    await file.save({ ...nothing, epoch: 3, operator: { reason: '', since: 5, until: 100, by: null } });
    expect((await file.load(99)).operator).to.not.equal(null);
    expect(await file.load(100)).to.deep.equal({ ...nothing, epoch: 3, missed: null });
  });

  it('begins what was scheduled where its time came while nobody was there, and drops what is over by then', async () => {
    const scheduled = { at: 100, lasts: 50, reason: 'night', by: 'ops' };
    const load = async (stored: object, now: number): Promise<unknown> => {
      await writeFile(path, JSON.stringify({ epoch: 3, operator: null, ...stored }));
      return new HoldFile(path).load(now);
    };
    expect(await load({ scheduled }, 99)).to.deep.equal({ epoch: 3, operator: null, scheduled, missed: null });
    const operator = { reason: 'night', since: 120, until: 150, by: 'ops' };
    expect(await load({ scheduled }, 120)).to.deep.equal({ epoch: 3, operator, scheduled: null, missed: null });
    expect(await load({ scheduled }, 150)).to.deep.equal({ ...nothing, epoch: 3, missed: scheduled });
    const held = { reason: 'moving', since: 5, until: null, by: null };
    expect(await load({ scheduled: { ...scheduled, lasts: null }, operator: { ...held, until: 110 } }, 105))
      .to.have.property('operator')
      .that.deep.equals({ ...held, reason: 'night', by: 'ops' });
    expect(await load({}, 9), 'as an older version wrote it').to.deep.equal({ ...nothing, epoch: 3, missed: null });
  });

  it('says what cannot be written, tells it once, and writes the last state as soon as it can', async () => {
    const told: Error[] = [];
    const file = new HoldFile(path, (error) => told.push(error));
    await file.save({ ...nothing, epoch: 1, operator: { reason: '', since: 5, until: null, by: null } });
    expect(file.problem).to.equal(null);
    await rm(dir, { recursive: true });
    for (let times = 0; times < 2; times++) await file.save({ ...nothing, epoch: 2 });
    await file.settled();
    expect(file.problem).to.match(/ENOENT/);
    expect(told).to.have.lengthOf(1);
    await mkdir(dir);
    await file.settled();
    expect(file.problem).to.equal(null);
    expect(await new HoldFile(path).load(10)).to.deep.equal({ ...nothing, epoch: 2, missed: null });
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
