import { expect } from 'chai';
import { visible, visibleIn, visibleLine, visibleOutput } from '#quiesce/protocol/visible.js';

describe('text of others, for a terminal', () => {
  it('moves no cursor and turns no letters', () => {
    expect(visible('a\u001b[2J\u009b1m\rb\u0007')).to.equal(String.raw`a\u001b[2J\u009b1m\u000db\u0007`);
    expect(visible('user\u202egpj.exe\u2066')).to.equal(String.raw`user\u202egpj.exe\u2066`);
    expect(visible('Größe 日本 😀 a\tb\nc')).to.equal('Größe 日本 😀 a\tb\nc');
  });

  it('begins no line of its own', () => {
    expect(visibleLine('works\nhold: none\t')).to.equal(String.raw`works\nhold: none\t`);
    expect(visibleIn({ 'a\n': ['\u001b', 1, null, { b: true }] })).to.deep.equal({
      [String.raw`a\n`]: [String.raw`\u001b`, 1, null, { b: true }],
    });
  });

  it('keeps the lines of a worker, without its colours', () => {
    expect(visibleOutput('\u001b[31mred\u001b[0m\n  at \u001b[2K')).to.equal('red\n  at \\u001b[2K');
  });

  it('is the same text in JSON', () => {
    const value = { reason: '\u202e\u009b\u2028' };
    expect(JSON.parse(visible(JSON.stringify(value)))).to.deep.equal(value);
  });

  it('takes no longer for the worst of texts', () => {
    const began = performance.now();
    visibleOutput('\u001b['.repeat(32_768) + '1;'.repeat(32_768));
    expect(performance.now() - began).to.be.below(500);
  });
});
