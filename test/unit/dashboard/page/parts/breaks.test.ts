import { expect } from 'chai';
import { piecesOf } from '#quiesce/dashboard/page/parts/breaks.js';

describe('an address on the page', () => {
  for (const [text, pieces] of [
    ['5/5 workers', '5/5 workers'],
    ['https://feeds.example.com/a/products.json.gz?…', 'https://feeds.example.com/|a/|products.json.gz?…'],
    ['The feed at http://a/b was slow', 'The |feed |at |http://a/|b |was |slow'],
    ['GET /orders/2026/export.csv?a=1&b=2 took 8 ms', 'GET |/orders/|2026/|export.csv?a=1&|b=2 |took |8 |ms'],
    ['at f (/srv/shop/src/prices.js:12:31)\n', 'at |f |(/srv/|shop/|src/|prices.js:12:31)\n'],
    ['a / b, and/or /c', 'a / b, and/or /c'],
    ['https://a-host.with-a-long-name.example.com/', 'https://a-|host.|with-|a-|long-|name.|example.|com/'],
  ] as const)
    it(`is broken so: ${pieces}`, () => {
      expect(piecesOf(text).join('|')).to.equal(pieces);
      expect(piecesOf(text).join('')).to.equal(text);
    });
});
