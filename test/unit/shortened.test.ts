import { expect } from 'chai';
import { shortened } from '#quiesce/shortened.js';

describe('a text cut to a length', () => {
  it('is at most so long, with an ellipsis where something is missing', () => {
    expect(shortened('12345', 5)).to.equal('12345');
    expect(shortened('123456', 5)).to.equal('1234…');
  });

  it('has no half of a character', () => {
    expect(shortened('123😀56', 5)).to.equal('123…');
    expect(shortened('12😀56', 5)).to.equal('12😀…');
  });
});
