import { expect } from 'chai';
import type { IncomingMessage } from 'node:http';
import { readFeedHeaders } from '#quiesce/worker/feed/headers.js';

function read(headers: Record<string, string>): ReturnType<typeof readFeedHeaders> {
  const all = { 'content-type': 'application/json', ...headers };
  return readFeedHeaders({ headers: all } as unknown as IncomingMessage, 1000);
}

function refusal(headers: Record<string, string>): string {
  try {
    read(headers);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'none';
}

describe('the headers of a feed', () => {
  const formats = {
    json: [
      'application/json',
      'Application/JSON; charset=UTF-8',
      'text/json',
      'text/json;charset="utf8"',
      'application/geo+json',
      'application/vnd.api+json; ext=bulk',
    ],
    ndjson: [
      'application/x-ndjson',
      'application/ndjson',
      'application/jsonl; charset=utf-8',
      'application/x-jsonl',
      'application/jsonlines',
      'application/x-jsonlines',
    ],
  };
  for (const [format, types] of Object.entries(formats)) {
    it(`name ${format} as senders name it`, () => {
      for (const type of types) expect(read({ 'content-type': type }).format, type).to.equal(format);
    });
  }

  it('name no type that could mean something else', () => {
    const others = [
      'text/csv',
      'text/plain',
      'application/octet-stream',
      'application/xml',
      'application/json-seq',
      'application/geo+json-seq',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonl; charset=utf-16',
      'application/geo+json; charset=iso-8859-1',
      'json',
      'constructor',
      '__proto__',
      '',
    ];
    for (const type of others) expect(refusal({ 'content-type': type }), type).to.equal('unsupported-media-type');
  });

  it('name no coding that has two meanings, or two of them', () => {
    expect(read({ 'content-encoding': 'X-GZIP' }).coding).to.equal('gzip');
    for (const coding of ['deflate', 'compress', 'gzip, gzip', 'br;q=1'])
      expect(refusal({ 'content-encoding': coding }), coding).to.equal('unsupported-media-type');
  });

  it('refuse a part of a feed, whatever it says', () => {
    for (const range of ['bytes 0-9/100', 'bytes 100-199/200', 'bytes */200', 'items 1-2/3', ''])
      expect(refusal({ 'content-range': range }), range).to.equal('bad-request');
  });
});
