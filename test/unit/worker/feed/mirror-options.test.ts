import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { checkOptions, type MirrorOptions } from '#quiesce/worker/feed/mirror-options.js';

describe('the options of mirror()', () => {
  const completeOptions = (options: MirrorOptions) => checkOptions(options).mirror;

  it('are completed with the defaults', () => {
    const given = { collection: 'a' };
    expect(completeOptions(given)).to.deep.equal({ collection: 'a', key: 'id', extendedJson: false });
    expect(given).to.deep.equal({ collection: 'a' });
  });

  it('are those of the call, whatever becomes of the object', () => {
    const scope = { tenant: 1 };
    const options = completeOptions({ collection: 'a', scope });
    scope.tenant = 2;
    expect(options.scope).to.deep.equal({ tenant: 1 });
  });

  for (const [fault, options] of Object.entries<Partial<MirrorOptions>>({
    'key takes names': { key: 'a..b' },
    'key has the same member twice': { key: ['a', 'a'] },
    'key cannot have _id beside another': { key: ['_id', 'a'] },
    'key must NOT have fewer than 1 items': { key: [] },
    "not 'a.b'": { keep: ['a.b'] },
    "not '$x'": { keep: ['$x'] },
    "not '_id'": { keep: ['_id'] },
    "keep cannot have 'a', which is in the key": { key: 'a.b', keep: ['a'] },
    "keep cannot have 't', which is in the scope": { scope: { t: 1 }, keep: ['t'] },
  }))
    it(`are refused because ${fault}`, () =>
      expect(() => completeOptions({ collection: 'a', ...options })).to.throw(TypeError, fault));

  // On its way to the primary it would lose its members, and a feed would replace everybody's documents.
  for (const scope of [new Map([['tenant', 1]]), new Date(0), Object.create({ tenant: 1 })] as object[]) {
    it(`have no ${Object.prototype.toString.call(scope)} for a scope that has members only to the eye`, () => {
      const options = { collection: 'a', scope: scope as Record<string, unknown> };
      expect(() => completeOptions(options)).to.throw(TypeError, 'mirror(): scope must be a plain object');
    });
  }

  it('have sources as the configuration has them, of this mirror', () => {
    const url = 'https://me:verysecret@feeds.example/';
    const cron = '0 3 * * *';
    const { sources, mirror } = checkOptions({
      collection: 'a',
      scope: { tenant: 1 },
      source: [
        { url, cron },
        { url, cron, jitter: '5m' },
      ],
    });
    const one = { url, cron, timezone: null, jitter: 0, headers: {}, timeout: 600_000, format: null };
    const own = { ...one, collection: 'a', scope: { tenant: 1 } };
    expect(sources).to.deep.equal([own, { ...own, jitter: 300_000 }]);
    expect(mirror).to.not.have.property('source');
    expect(checkOptions({ collection: 'a', source: { url, cron } }).sources).to.deep.equal([
      { ...one, collection: 'a', scope: null },
    ]);
    expect(checkOptions({ collection: 'a' }).sources).to.deep.equal([]);
  });

  const from = { url: 'https://a.example/verysecret', cron: '* * * * *' };
  for (const [fault, source] of Object.entries<object | string>({
    'source takes { url, cron, ': 'verysecret',
    'source.url takes an address that begins with http': { ...from, url: 'ftp://verysecret' },
    'source.cron takes a cron pattern': { url: from.url },
    'source.timezone takes the name of a time zone': { ...from, timezone: 'Europe/Nowhere' },
    'source.jitter takes milliseconds, or': { ...from, jitter: 'verysecret' },
    'source.timeout takes milliseconds above 0': { ...from, timeout: 0 },
    'source.headers takes headers by name': { ...from, headers: { A: 'very\nsecret' } },
    'or asks for a part or a change of the feed': { ...from, headers: { Range: 'bytes=0-' } },
    "source.format takes 'json', 'ndjson', 'csv'": { ...from, format: 'xml' },
    "source has no member 'collection'": { ...from, collection: 'b' },
  }))
    it(`are refused because ${fault}`, () =>
      expect(() => checkOptions({ collection: 'a', source } as unknown as MirrorOptions))
        .to.throw(TypeError, fault)
        .with.property('message')
        .that.does.not.match(/verysecret|very\n/));

  describe('that are code', () => {
    const code =
      (more: object): (() => unknown) =>
      () =>
        checkOptions({ collection: 'a', ...more });

    it('are modules by their address or path, or a JSON Schema as it is now', () => {
      const file = fileURLToPath(import.meta.url);
      const schema = { type: 'object', required: ['a'] };
      const { steps, mirror } = checkOptions({ collection: 'a', transform: file, validate: schema });
      schema.required.push('b');
      expect(steps).to.deep.equal({ transform: import.meta.url, validate: { type: 'object', required: ['a'] } });
      expect(mirror).to.not.have.any.keys('transform', 'validate');
      expect(checkOptions({ collection: 'a' }).steps).to.equal(null);
    });

    it('are refused where they cannot be sent to a thread, with what to do instead', () => {
      const standard = { '~standard': { version: 1, vendor: 'x', validate: () => ({ value: 1 }) } };
      for (const given of [{ transform: () => ({}) }, { validate: () => true }, { validate: standard }]) {
        const [name] = Object.keys(given);
        expect(code(given)).to.throw(
          TypeError,
          `Put it into a module, \`export const ${name} = …\`, and give the module: ${name}: new URL('./${name}.js', import.meta.url).`,
        );
      }
      expect(code({ transform: './transform.js' })).to.throw(TypeError, 'or by an absolute path, not "./transform.js"');
      expect(code({ transform: new URL('https://example.com/a.js') })).to.throw(TypeError, 'takes a file');
      expect(code({ validate: new URL('./nothing.js', import.meta.url) })).to.throw(TypeError, 'there is no such file');
      expect(code({ validate: 7 })).to.throw(TypeError, 'validate takes a module or a JSON Schema, not 7');
      expect(code({ validate: null })).to.throw(TypeError, 'validate takes a module or a JSON Schema, not null');
      expect(code({ before: 'x' })).to.throw(TypeError, 'before takes a function');
    });
  });
});
