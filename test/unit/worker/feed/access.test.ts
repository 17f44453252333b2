import { expect } from 'chai';
import type { IncomingMessage } from 'node:http';
import { authorize } from '#quiesce/worker/feed/access.js';

describe('who may send a feed', () => {
  const request = (headers: Record<string, string>, remoteAddress = '127.0.0.1'): IncomingMessage =>
    ({
      headers: { host: 'localhost:3000', ...headers },
      headersDistinct: { host: [headers['host'] ?? 'localhost:3000'] },
      socket: { remoteAddress },
    }) as unknown as IncomingMessage;
  const refusal = (req: IncomingMessage, token: string | null): unknown => {
    try {
      authorize(req, token);
      return null;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it('is who has the token, from anywhere', () => {
    expect(refusal(request({ authorization: 'Bearer s3cret' }, '203.0.113.7'), 's3cret')).to.equal(null);
    expect(refusal(request({ authorization: 'bearer s3cret' }), 's3cret')).to.equal(null);
    for (const authorization of ['Bearer s3cret2', 'Bearer s3cre', 'Basic s3cret', 'Bearer ', 's3cret']) {
      expect(refusal(request({ authorization }), 's3cret'), authorization).to.equal('unauthorized');
    }
    expect(refusal(request({}), 's3cret')).to.equal('unauthorized');
  });

  it('is a local client where there is no token, unless a proxy stands in front', () => {
    expect(refusal(request({}), null)).to.equal(null);
    expect(refusal(request({}, '203.0.113.7'), null)).to.equal('forbidden');
    expect(refusal(request({ 'x-forwarded-for': '127.0.0.1' }), null)).to.equal('forbidden');
    expect(refusal(request({ forwarded: 'for=127.0.0.1' }), null)).to.equal('forbidden');
  });

  it('is nobody whom a proxy has marked, whatever the mark', () => {
    for (const name of [
      'x-real-ip',
      'via',
      'x-forwarded-host',
      'x-forwarded-proto',
      'cf-connecting-ip',
      'true-client-ip',
    ])
      expect(refusal(request({ [name]: '127.0.0.1' }), null), name).to.equal('forbidden');
    expect(refusal(request({ 'x-request-id': '1' }), null)).to.equal(null);
    expect(refusal(request({ via: '1.1 proxy', authorization: 'Bearer s3cret' }), 's3cret')).to.equal(null);
  });

  it('is no page of another origin, under whatever name it calls this machine', () => {
    for (const host of ['localhost', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST:80'])
      expect(refusal(request({ host }), null), host).to.equal(null);
    for (const host of ['evil.example:3000', '192.0.2.1:3000', 'localhost.evil.example', '127.0.0.1.evil.example', ''])
      expect(refusal(request({ host }), null), host).to.equal('forbidden');
    expect(refusal(request({ origin: 'http://localhost:3000' }), null)).to.equal(null);
    for (const origin of ['http://evil.example', 'http://localhost:8080', 'null'])
      expect(refusal(request({ origin }), null), origin).to.equal('forbidden');
    for (const site of ['cross-site', 'same-site'])
      expect(refusal(request({ 'sec-fetch-site': site }), null), site).to.equal('forbidden');
    expect(refusal(request({ host: 'shop.example', authorization: 'Bearer s3cret' }), 's3cret')).to.equal(null);
  });
});
