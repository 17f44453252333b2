import { expect } from 'chai';
import { rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { lastingName, ownFile, startedFrom } from '#quiesce/own-files.js';
import { scratchFolders } from './scratch.js';

const scratch = scratchFolders();

describe('a file of this package', () => {
  it('has the same name in every release, where the app brings the package along', () => {
    const root = scratch({ 'releases/1/api/x': '', 'releases/2/x': '' });
    const current = path.join(root, 'current');
    symlinkSync('releases/1', current);
    startedFrom(path.join(current, 'api'));
    const file = path.join(root, 'releases/1/node_modules/quiesce/dist/cli/main.js');
    expect(lastingName(file)).to.equal(path.join(current, 'node_modules/quiesce/dist/cli/main.js'));
    for (const outside of ['/usr/lib/node_modules/quiesce/dist/cli/main.js', path.join(root, 'releases/2/x')])
      expect(lastingName(outside)).to.equal(outside);
  });

  it('is looked for at its own place; what is gone for good says what to do', () => {
    const root = scratch();
    const file = path.join(root, 'boot.js');
    writeFileSync(file, '');
    mkdirSync(path.join(root, 'app'));
    startedFrom(path.join(root, 'app'));
    expect(ownFile(pathToFileURL(file))).to.equal(file);
    rmSync(file);
    expect(() => ownFile(pathToFileURL(file))).to.throw(/boot\.js was removed.* Start quiesce anew from the release/);
  });
});
