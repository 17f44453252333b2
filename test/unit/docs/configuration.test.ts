import { expect } from 'chai';
import { settings } from '../../../dev/docs/settings.ts';

describe('docs/configuration.md', () => {
  it('says of each setting what it is for', () => {
    const silent = settings().filter(({ description, takes }) => description === '' || takes === '');
    expect(silent).to.deep.equal([]);
  });
});
