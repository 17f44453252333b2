import { expect } from 'chai';
import { chmodSync, chownSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
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
    chmodSync(folder, 0o755);
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

  it('is refused where others could have written what it holds', () => {
    const folder = scratch({ 'admin.token': 'known to somebody', 'journal/run.json': '{}' });
    chmodSync(folder, 0o777);
    expect(() => prepareDataDir(folder)).to.throw(/Other users could write to .*mode 777/);
    expect(modeOf(folder)).to.equal('777');
  });

  it('is refused where it, or a file in it, belongs to another user or is a link', function () {
    const folder = scratch({ 'admin.token': 'x', 'journal/run.json': '{}' });
    chmodSync(folder, 0o700);
    const target = path.join(scratch({ kept: 'kept' }), 'kept');
    for (const name of ['quiesce.log', 'admin.tokens', 'spool']) {
      symlinkSync(target, path.join(folder, name));
      expect(() => prepareDataDir(folder), name).to.throw(new RegExp(`${name} is a symbolic link`));
      rmSync(path.join(folder, name));
    }
    symlinkSync('["a takeover"]', path.join(folder, 'takeover.1-2'));
    prepareDataDir(folder);
    if (process.geteuid?.() !== 0) this.skip(); // only root can give a file away
    chownSync(path.join(folder, 'journal/run.json'), 12345, 12345);
    expect(() => prepareDataDir(folder)).to.throw(/run\.json belongs to the user with uid 12345/);
    chownSync(folder, 12345, 12345);
    expect(() => prepareDataDir(folder)).to.throw(/belongs to the user with uid 12345, not to/);
  });

  it('is never a shared folder such as /tmp', () => {
    const folder = path.join(scratch(), 'tmp');
    mkdirSync(folder);
    chmodSync(folder, 0o1777);
    expect(() => prepareDataDir(folder)).to.throw(/open to other users \(mode 1777\)/);
  });
});
