import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { findDataDirs } from '#quiesce/cli/find-data-dir.js';
import { dataPlaces } from '#quiesce/config/data-place.js';
import { scratchFolders } from '../scratch.js';

const scratch = scratchFolders();

describe('which app a command means', () => {
  const before = { ...process.env };
  let root: string;

  beforeEach('a folder, and one for state', () => {
    root = scratch({});
    delete process.env['QUIESCE_DATA_DIR'];
    delete process.env['STATE_DIRECTORY'];
    process.env['XDG_STATE_HOME'] = scratch({});
  });
  afterEach('the environment as it was', () => {
    process.env = { ...before };
  });

  /** As `quiesce start` leaves it that was called in this folder. */
  function started(folder: string, name: string, file = 'admin.token'): string {
    mkdirSync(folder, { recursive: true });
    const dataDir = join(dataPlaces(folder, process.env).at(-1)!, name);
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, file), 'x');
    return dataDir;
  }

  it('is the one that was started here, else in the nearest folder above, as git looks for its repository', async () => {
    const top = started(root, 'top');
    const deep = join(root, 'a', 'b');
    mkdirSync(deep, { recursive: true });
    expect(await findDataDirs({}, deep)).to.deep.equal([top]);
    const near = started(join(root, 'a'), 'near');
    expect(await findDataDirs({}, deep)).to.deep.equal([near]);
    expect(await findDataDirs({ only: 'top' }, deep), 'of that name').to.deep.equal([top]);
  });

  it('is one that is starting, which has the lock and no token yet', async () => {
    const dataDir = started(root, 'web', 'primary.json');
    expect(await findDataDirs({}, root)).to.deep.equal([dataDir]);
  });

  it('is none where nothing was started', async () => {
    const code = await findDataDirs({}, root).catch((error: { code: string }) => error.code);
    expect(code).to.equal('no-primary');
  });
});
