import { expect } from 'chai';
import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { prepareDataDir } from '#quiesce/primary/data-dir/data-dir.js';
import { scratchFolders } from '../../scratch.js';

const scratch = scratchFolders();
const modeOf = (folder: string): string => (statSync(folder).mode & 0o7777).toString(8);

describe('the data directory', () => {
  it('is made for its owner only, parents included', () => {
    const folder = path.join(scratch(), '.quiesce/web');
    prepareDataDir(folder);
    expect([modeOf(folder), modeOf(path.dirname(folder))]).to.deep.equal(['700', '700']);
  });

  it('is closed where it is empty or has been ours', () => {
    const folder = scratch();
    chmodSync(folder, 0o755);
    prepareDataDir(folder);
    expect(modeOf(folder)).to.equal('700');
    writeFileSync(path.join(folder, 'admin.token'), 'x');
    chmodSync(folder, 0o777);
    prepareDataDir(folder);
    expect(modeOf(folder)).to.equal('700');
  });

  it('is refused, and left as it is, where it holds files of others', () => {
    const folder = scratch({ 'index.html': '' });
    chmodSync(folder, 0o755);
    expect(() => prepareDataDir(folder)).to.throw(/holds other files/);
    expect(modeOf(folder)).to.equal('755');
  });

  it('is refused where it is no folder', () => {
    const file = path.join(scratch({ file: '' }), 'file');
    expect(() => prepareDataDir(file)).to.throw(/cannot be used/);
    expect(() => prepareDataDir(path.join(file, 'below'))).to.throw(/cannot be used/);
    expect(() => prepareDataDir('/proc/quiesce/web')).to.throw(/cannot be used/);
  });

  it('is never a shared folder such as /tmp', () => {
    const folder = path.join(scratch(), 'tmp');
    mkdirSync(folder);
    chmodSync(folder, 0o1777);
    expect(() => prepareDataDir(folder)).to.throw(/open to other users \(mode 1777\)/);
  });
});
