import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import { nextTime } from '#quiesce/cli/orders/next-time.js';

const file = import.meta.resolve('#quiesce/cli/orders/next-time.js');

/** In a zone of its own: a process has one. Each line is a time and the moment of the call. */
function inZone(TZ: string, cases: readonly (readonly [string, string])[]): string[] {
  const source = `import { nextTime } from ${JSON.stringify(file)};
    for (const [text, now] of ${JSON.stringify(cases)}) console.log(nextTime(text, new Date(now)).toISOString());`;
  const out = execFileSync(process.execPath, ['--input-type=module', '--eval', source], {
    env: { ...process.env, TZ },
    encoding: 'utf8',
  });
  return out.trim().split('\n');
}

describe('the moment that --at means', () => {
  it('is the next one at which clocks of the caller show it', () => {
    expect(
      inZone('America/New_York', [
        ['02:00', '2026-06-01T05:59:00Z'],
        ['02:00', '2026-06-01T06:00:00Z'],
        ['2:00:30', '2026-06-01T06:00:00Z'],
        ['2026-06-05T02:00', '2026-06-01T06:00:00Z'],
        ['2026-06-05 02:00', '2026-06-01T06:00:00Z'],
        ['2026-06-05T02:00Z', '2026-06-01T06:00:00Z'],
        ['2026-06-05T02:00:00+02:00', '2026-06-01T06:00:00Z'],
      ]),
    ).to.deep.equal([
      '2026-06-01T06:00:00.000Z',
      '2026-06-02T06:00:00.000Z',
      '2026-06-01T06:00:30.000Z',
      '2026-06-05T06:00:00.000Z',
      '2026-06-05T06:00:00.000Z',
      '2026-06-05T02:00:00.000Z',
      '2026-06-05T00:00:00.000Z',
    ]);
  });

  it('is later by what the clocks skip, and of two the first that is still to come', () => {
    expect(
      inZone('Europe/Berlin', [
        ['02:30', '2026-03-28T23:00:00Z'], // set forward from 2 to 3 at 01:00Z
        ['02:30', '2026-10-24T23:00:00Z'], // set back from 3 to 2 at 01:00Z
        ['02:30', '2026-10-25T00:45:00Z'],
        ['02:30', '2026-10-25T01:30:00Z'],
      ]),
    ).to.deep.equal([
      '2026-03-29T01:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
    expect(inZone('Australia/Lord_Howe', [['01:45', '2026-04-04T14:50:00Z']]), 'half an hour').to.deep.equal([
      '2026-04-04T15:15:00.000Z',
    ]);
  });

  it('is in the future, and a time', () => {
    const now = new Date('2026-06-01T06:00:00Z');
    expect(nextTime('2026-06-01T06:00:00Z', now)).to.equal('2026-06-01T06:00:00.000Z is in the past.');
    for (const text of ['', '24:00', '2:60', '02', 'noon', '2026-06-05', '2026-02-30T02:00:00Zz', '2026-13-01T02:00Z'])
      expect(nextTime(text, now), text).to.match(/^It takes a time of day/);
  });
});
