import { expect } from 'chai';
import { ownSettings } from '#quiesce/config/settings/own-settings.js';

describe('maintenance.except', () => {
  it('takes the paths that a pause never holds, and nothing that is no path', () => {
    const except = ['/healthz', '/.well-known/'];
    const { kind, default: byDefault } = ownSettings.maintenance.except;
    expect(kind.parse(except)).to.deep.equal(except);
    expect(byDefault).to.deep.equal([]);
    for (const wrong of ['/healthz', ['healthz'], ['/a?b'], [1]])
      expect(() => kind.parse(wrong)).to.throw("a list of paths that begin with '/'");
  });
});
