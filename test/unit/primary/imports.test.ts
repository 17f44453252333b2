import { expect } from 'chai';
import { loadedWith } from '../loaded-with.ts';

describe('what a primary of one host loads', () => {
  const { packages, modules } = loadedWith('#quiesce/primary/site.js');

  it('has nothing by which hosts agree: that is loaded where the configuration names a cluster', () => {
    const forMany = modules.filter((module) => /^(cluster|primary\/hosts)\//.test(module));
    const asks = ['primary/hosts/hosts-of.js', 'primary/hosts/unreachable.js'];
    expect(forMany.filter((module) => !asks.includes(module))).to.deep.equal([]);
    expect(loadedWith('#quiesce/primary/hosts/join.js').modules, 'the module that is not').to.include(
      'cluster/host.js',
    );
  });

  it('has no driver of MongoDB on the path that accepts connections', () => {
    expect(packages).not.to.include('mongodb');
  });
});
