import { expect } from 'chai';
import { isReplaceableBy, whyNotReplaceable } from '#quiesce/primary/handover/replaceable.js';

const keeper = { canReplace: true, pid: 7 };
const config = { scheduling: 'os', cluster: { name: null }, dataDir: '/data/shop' } as Parameters<
  typeof isReplaceableBy
>[1];

describe('whether a primary can be replaced while it serves', () => {
  it('is told with the reason, and what to do', () => {
    expect(whyNotReplaceable(keeper, config)).to.equal(null);
    for (const [given, reason] of [
      [null, /--no-keeper.*quiesce stop, then quiesce start/],
      [{ canReplace: false, pid: 7 }, /\(pid 7\) is of an older version of quiesce.*It alone needs a stop/],
    ] as const) {
      expect(whyNotReplaceable(given, config)).to.include({ code: 'not-replaceable' });
      expect(whyNotReplaceable(given, config)?.message).to.match(reason);
    }
  });

  it('depends on what it runs on, and on what the file says by now', () => {
    const rr = { ...config, scheduling: 'rr' as const };
    expect(isReplaceableBy(keeper, config, config)).to.equal(true);
    expect(isReplaceableBy(keeper, config, { ...config, dataDir: '/data/other' })).to.equal(false);
    const member = { ...config, cluster: { ...config.cluster, name: 'shops' } };
    expect(isReplaceableBy(keeper, config, member), 'another cluster').to.equal(false);
    expect(isReplaceableBy(keeper, member, member), 'a host of a cluster').to.equal(true);
    expect(isReplaceableBy(keeper, config, rr)).to.equal(false);
    expect(isReplaceableBy(keeper, rr, config)).to.equal(false);
    expect(isReplaceableBy(null, config, config)).to.equal(false);
  });
});
