import { expect } from 'chai';
import { completeOptions } from '#quiesce/worker/feed/mirror-route.js';

describe('the options of mirror()', () => {
  it('are completed with the defaults', () => {
    const given = { collection: 'a' };
    expect(completeOptions(given)).to.deep.equal({ collection: 'a', key: 'id', extendedJson: false });
    expect(given).to.deep.equal({ collection: 'a' });
  });

  it('are those of the call, whatever becomes of the object', () => {
    const scope = { tenant: 1 };
    const options = completeOptions({ collection: 'a', scope });
    scope.tenant = 2;
    expect(options.scope).to.deep.equal({ tenant: 1 });
  });

  // On its way to the primary it would lose its members, and a feed would replace everybody's documents.
  for (const scope of [new Map([['tenant', 1]]), new Date(0), Object.create({ tenant: 1 })] as object[]) {
    it(`have no ${Object.prototype.toString.call(scope)} for a scope that has members only to the eye`, () => {
      const options = { collection: 'a', scope: scope as Record<string, unknown> };
      expect(() => completeOptions(options)).to.throw(TypeError, 'mirror(): scope must be a plain object');
    });
  }
});
