import { expect } from 'chai';
import { ownSettings } from '#quiesce/config/settings/own-settings.js';
import { allowedFrom } from '#quiesce/worker/gate/shut/pass.js';

describe('maintenance.allow', () => {
  const { kind: schema } = ownSettings.maintenance.allow;
  const accepts = (network: unknown): boolean => schema.safeParse([network]).success;

  it('takes addresses and networks of both families, and each makes a list', () => {
    for (const network of ['10.0.0.0/8', '192.0.2.7', '0.0.0.0/0', '::1', '2001:DB8::/32', '::/0', '::ffff:10.0.0.1']) {
      expect(accepts(network), network).to.equal(true);
      expect(() => allowedFrom([network]), network).not.to.throw();
    }
  });

  it('refuses what is neither', () => {
    for (const wrong of [
      '10.0.0.0/33',
      '10.0.0/8',
      '::/129',
      '10.0.0.0/',
      '/8',
      'localhost',
      '10.0.0.1/8/8',
      '',
      10,
      null,
    ])
      expect(accepts(wrong), String(wrong)).to.equal(false);
    expect(schema.safeParse('10.0.0.0/8').success).to.equal(false);
  });
});
