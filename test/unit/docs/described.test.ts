import { expect } from 'chai';
import { faultsOf } from '../../process/harness/described.ts';

describe('an answer that is held against the description of HTTP', () => {
  const headers = { 'content-type': 'application/json; charset=utf-8' };
  const urls = { method: 'GET', path: '/api/urls', status: 200, headers, text: '{"urls":["http://127.0.0.1:3000"]}' };
  const feed = { method: 'PUT', path: '/api/sync?dryRun=false', status: 204, headers: {}, text: '' };
  const run = { 'quiesce-run': 'r', 'quiesce-counts': 'c' };

  it('passes where it is as described, or of a path that is not', () => {
    expect(faultsOf(urls)).to.deep.equal([]);
    expect(faultsOf({ ...feed, headers: run })).to.deep.equal([]);
    expect(faultsOf({ ...urls, path: '/work', text: 'anything' })).to.deep.equal([]);
  });

  const wrong: [what: string, answer: Parameters<typeof faultsOf>[0]][] = [
    ['a member that is not described', { ...urls, text: '{"urls":[],"more":1}' }],
    ['a member that is missing', { ...urls, text: '{}' }],
    ['a member of another type', { ...urls, text: '{"urls":"http://127.0.0.1:3000"}' }],
    ['another media type', { ...urls, headers: { 'content-type': 'text/plain' } }],
    ['a status that is not described', { ...urls, status: 201 }],
    ['a method that is not described', { ...urls, method: 'DELETE' }],
    ['a header that is missing', { ...feed, headers: { 'quiesce-run': 'r' } }],
    [
      'a code that this operation does not answer with',
      {
        ...urls,
        status: 403,
        headers: { 'content-type': 'application/problem+json' },
        text: JSON.stringify({ type: 'urn:x', title: 'x', status: 403, detail: 'x', code: 'fenced' }),
      },
    ],
  ];
  for (const [what, answer] of wrong) {
    it(`fails with ${what}`, () => expect(faultsOf(answer)).to.have.lengthOf(1));
  }
});
