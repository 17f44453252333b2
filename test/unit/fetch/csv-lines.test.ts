import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { csvToLines } from '#quiesce/fetch/csv-lines.js';
import { QuiesceError } from '#quiesce/errors.js';

const lines = async (csv: string | Buffer, coding?: string): Promise<unknown[]> =>
  (await text(csvToLines(Readable.from([Buffer.from(csv)]), coding)))
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

describe('CSV with a header', () => {
  it('becomes objects of strings: quotes, line ends, a BOM, empty cells, a column __proto__', async () => {
    expect(await lines('\uFEFFid,name,note\r\n1,"a ""b"", c",\r\n02,"two\nlines",x\r\n')).to.deep.equal([
      { id: '1', name: 'a "b", c', note: '' },
      { id: '02', name: 'two\nlines', note: 'x' },
    ]);
    expect(await lines('id\n')).to.deep.equal([]);
    expect(await lines(gzipSync('id\n1\n'), 'gzip')).to.deep.equal([{ id: '1' }]);
    expect(JSON.stringify(await lines('id,__proto__\n1,2\n'))).to.equal('[{"id":"1","__proto__":"2"}]');
  });

  const faults: [string, RegExp][] = [
    ['id,name\n1,a\n2\n', /line 3/],
    ['id,name\n1,a\n2,b,c\n', /line 3/],
    ['id,name\n1,"a\n', /line \d/],
    ['', /without a header/],
    ['id,id\n1,2\n', /line 1: two columns have the name "id"/],
    ['id,\n1,2\n', /line 1: column 2 has no name/],
  ];
  for (const [csv, message] of faults) {
    it(`is refused, with the place: ${JSON.stringify(csv)}`, async () => {
      const error = await lines(csv).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).to.be.instanceOf(QuiesceError);
      expect((error as QuiesceError).message).to.match(message);
    });
  }

  it('is refused where its coding is cut off', async () => {
    const whole = gzipSync('id\n1\n2\n');
    const error = await lines(whole.subarray(0, -9), 'gzip').catch((thrown: unknown) => thrown);
    expect(error).to.be.instanceOf(QuiesceError);
  });
});
