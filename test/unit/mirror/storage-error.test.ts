import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import { toStorageError } from '#quiesce/mirror/storage-error.js';

describe('a disk without room', () => {
  for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) {
    it(`is told as 507 where a file cannot be written for ${code}`, () => {
      const cause = Object.assign(new Error('write'), { code });
      const error = toStorageError(cause) as QuiesceError;
      expect(error).to.be.instanceOf(QuiesceError);
      expect(error).to.include({ code: 'insufficient-storage', cause });
      expect(error.message).to.contain(code);
    });
  }

  it('is not what a file means that somebody has removed: that is told with its path', () => {
    const cause = Object.assign(new Error('open'), { code: 'ENOENT', path: '/data/spool/1.feed' });
    const error = toStorageError(cause) as QuiesceError;
    expect(error).to.be.instanceOf(QuiesceError);
    expect(error).to.include({ code: 'run-failed', cause });
    expect(error.message).to.match(/\/data\/spool\/1\.feed.*[Ss]end/);
  });

  it('is not what any other error means', () => {
    for (const error of [Object.assign(new Error('open'), { code: 'EACCES' }), new Error('x'), 'x']) {
      expect(toStorageError(error)).to.equal(error);
    }
  });
});
