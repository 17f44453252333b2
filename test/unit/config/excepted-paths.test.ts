import { expect } from 'chai';
import { maintenanceSchema } from '#quiesce/config/schema.js';

describe('maintenance.except', () => {
  it('takes the paths that a pause never holds, and nothing that is no path', () => {
    const except = ['/healthz', '/.well-known/'];
    expect(maintenanceSchema.parse({ except }).except).to.deep.equal(except);
    expect(maintenanceSchema.parse({}).except).to.deep.equal([]);
    for (const wrong of ['/healthz', ['healthz'], ['/a?b'], [1]])
      expect(() => maintenanceSchema.parse({ except: wrong })).to.throw("a list of paths that begin with '/'");
  });
});
