import { expect } from 'chai';
import { generated, existing } from '../../../dev/docs/generated.ts';

describe('the documentation', () => {
  for (const { file, content } of generated) {
    it(`has a ${file} that is up to date (npm run docs)`, async () => {
      expect(existing(file)).to.equal(await content());
    });
  }
});
