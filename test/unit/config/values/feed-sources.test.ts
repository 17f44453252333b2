import { expect } from 'chai';
import { appSchema } from '#quiesce/config/settings/schema.js';
import { faultsOf } from '#quiesce/config/file/faults.js';
import { shownSource } from '#quiesce/config/values/feed-sources.js';
import type { FeedSourceSettings } from '#quiesce/config/values/source-members.js';

function parsed(source: unknown): readonly FeedSourceSettings[] {
  return appSchema.parse({ script: 'a.js', quiesce: { sync: { source } } }).quiesce.sync.source;
}

function faults(source: unknown): string[] {
  const app = { script: 'a.js', quiesce: { sync: { source } } };
  const result = appSchema.safeParse(app);
  return result.success ? [] : faultsOf(result.error, app).map(({ path, message }) => `${path} ${message}`);
}

const url = 'https://me:verysecret@feeds.example/products.json?sig=verysecret';
const cron = '0 3 * * *';

describe('the sources of feeds', () => {
  it('are one or several, with the defaults', () => {
    const one = { url, cron, timezone: null, jitter: 0, headers: {}, timeout: 600_000, format: null, collection: null };
    expect(parsed({ url, cron })).to.deep.equal([one]);
    const more = { timezone: 'Europe/Berlin', jitter: '5m', timeout: '1h', format: 'csv', collection: 'products' };
    expect(
      parsed([
        { url, cron },
        { url, cron, ...more },
      ]),
    ).to.deep.equal([one, { ...one, ...more, jitter: 300_000, timeout: 3_600_000 }]);
    expect(appSchema.parse({ script: 'a.js' }).quiesce.sync.source).to.deep.equal([]);
  });

  it('are refused where something is wrong, without what is secret', () => {
    const found = [
      ...faults({ url: 'ftp://verysecret', cron }),
      ...faults({ cron }),
      ...faults({ url }),
      ...faults({ url, cron: 'verysecret' }),
      ...faults({ url, cron, timezone: 'Europe/Nowhere' }),
      ...faults({ url, cron, headers: { Authorization: 'very\nsecret' } }),
      ...faults({ url, cron, headers: { 'Content-Length': '7' } }),
      ...faults({ url, cron, headers: { 'if-none-match': '"verysecret"' } }),
      ...faults({ url, cron, format: 'xml' }),
      ...faults({ url, cron, token: 'verysecret' }),
      ...faults('https://verysecret'),
    ];
    expect(found).to.have.length(11);
    expect(found.join('\n')).to.not.match(/verysecret|very\n/);
  });

  it('are shown without user, password, query and the values of headers', () => {
    const [source] = parsed({ url, cron, timezone: 'UTC', headers: { 'X-Key': 'verysecret' }, collection: 'products' });
    expect(shownSource(source!)).to.equal(
      'https://feeds.example/products.json?… into products at 0 3 * * * UTC, with X-Key',
    );
  });
});
