import { expect } from 'chai';
import { argumentList, instances } from '#quiesce/config/values/kinds.js';

describe('kinds of settings', () => {
  it('take a number of workers as PM2 does', () => {
    expect(['max', '-1', 4, 0].map((value) => instances.parse(value))).to.deep.equal([0, -1, 4, 0]);
    expect(instances.safeParse('many').success).to.equal(false);
  });

  it('split arguments as a shell does', () => {
    expect(argumentList.parse(`--title "two words" --path='a b' c`)).to.deep.equal([
      '--title',
      'two words',
      '--path=a b',
      'c',
    ]);
    expect(argumentList.parse(['--a', 'b c', 3])).to.deep.equal(['--a', 'b c', '3']);
    expect(argumentList.safeParse([{}]).success).to.equal(false);
  });
});
