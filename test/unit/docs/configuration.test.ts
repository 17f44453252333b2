import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { configurationPage } from '../../../dev/docs/configuration.ts';
import { settings } from '../../../dev/docs/settings.ts';

const page = (name: string): string => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');

describe('docs/configuration.md', () => {
  it('is what the code says (made anew by npm run docs)', () => {
    expect(page('configuration.md')).to.equal(configurationPage());
  });

  it('says of each setting what it is for', () => {
    const silent = settings().filter(({ description, takes }) => description === '' || takes === '');
    expect(silent).to.deep.equal([]);
  });
});
