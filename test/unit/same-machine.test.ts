import { expect } from 'chai';
import os from 'node:os';
import { foreignPage, hostOf, isLoopback, isThisMachine } from '#quiesce/same-machine.js';

describe('this machine', () => {
  it('knows the loopback addresses', () => {
    for (const address of ['127.0.0.1', '127.8.9.1', '::1', '::ffff:127.0.0.1'])
      expect(isLoopback(address), address).to.equal(true);
    for (const address of ['128.0.0.1', '10.0.0.1', '::2', '::ffff:10.0.0.1', '127.evil.example', '', undefined])
      expect(isLoopback(address), address).to.equal(false);
  });

  it('is known by its name and its loopback addresses, with any port', () => {
    for (const header of [
      'localhost',
      'LOCALHOST:8080',
      '127.0.0.1:1',
      '[::1]:3000',
      `${os.hostname().toUpperCase()}:80`,
    ])
      expect(isThisMachine(hostOf(header)!), header).to.equal(true);
    for (const header of ['evil.example', '127.0.0.1.evil.example', 'localhost.evil.example:80', '192.0.2.1'])
      expect(isThisMachine(hostOf(header)!), header).to.equal(false);
    for (const header of ['', 'user@localhost', 'localhost, evil.example', undefined])
      expect(hostOf(header), header).to.equal(undefined);
  });

  it('is sent no request by a page of another origin, the same host with another port included', () => {
    const from = (headers: Record<string, string>): string | null =>
      foreignPage({ headers: { host: 'localhost:3000', ...headers } });
    expect(from({})).to.equal(null);
    expect(from({ origin: 'http://localhost:3000' })).to.equal(null);
    for (const site of ['same-origin', 'none']) expect(from({ 'sec-fetch-site': site })).to.equal(null);
    for (const site of ['same-site', 'cross-site'])
      expect(from({ 'sec-fetch-site': site })).to.equal('a page of another site');
    for (const origin of ['https://evil.example', 'http://localhost:8080', 'null', 'garbage'])
      expect(from({ origin })).to.equal(`a page of "${origin}"`);
  });
});
