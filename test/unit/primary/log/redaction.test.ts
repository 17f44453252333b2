import { expect } from 'chai';
import { withoutCredentials } from '#quiesce/primary/log/redaction.js';

describe('redaction of the log', () => {
  const table: [string, string][] = [
    ['mongodb://app:s3cret@db:27017/x', 'mongodb://app:***@db:27017/x'],
    ['mongodb+srv://app:s3%40cret@db/?w=1', 'mongodb+srv://app:***@db/?w=1'],
    ['{"msg":"cannot reach \\"mongodb://a:b@h\\""}', '{"msg":"cannot reach \\"mongodb://a:***@h\\""}'],
    ['redis://:pw@h and amqp://u:pw@h', 'redis://:***@h and amqp://u:***@h'],
    ['http://127.0.0.1:3000/a:b@c', 'http://127.0.0.1:3000/a:b@c'],
    ['mongodb://db:27017/x', 'mongodb://db:27017/x'],
    ['me:you@home', 'me:you@home'],
  ];
  for (const [line, expected] of table) {
    it(`${line} → ${expected}`, () => expect(withoutCredentials(line)).to.equal(expected));
  }

  it('takes no more than linear time', () => {
    const line = 'a://b:'.repeat(20_000);
    const since = performance.now();
    withoutCredentials(line);
    expect(performance.now() - since).to.be.below(500);
  });
});
