import { createRequire } from 'node:module';
import { expect } from 'chai';
import { mirrorUri, primaryUri, uriFault, uriOptions } from '#quiesce/config/values/mongodb-uri.js';

/** Options that the driver takes from an object only. */
const objectsOnly = ['autoEncryption', 'driverInfo', 'minInternalBufferSize', 'name', 'pkFactory', 'runtimeAdapters'];
const refused = ['__skipPingOnConnect', 'serverApi', 'srvHostValidator'];

/** Among them what Node's own sockets take, of any type. */
function isForObjects(name: string, type: string | undefined): boolean {
  return objectsOnly.includes(name) || (type === 'any' && name !== 'tlsCertificateKeyFilePassword');
}

describe('a connection string', () => {
  it('has no option of which the table does not tell', () => {
    const require = createRequire(import.meta.url);
    const { OPTIONS } = require('mongodb/lib/connection_string.js') as { OPTIONS: Record<string, { type?: string }> };
    const told = uriOptions.flatMap(({ names }) => names);
    expect(new Set(told).size).to.equal(told.length);
    expect(told).to.have.members(
      Object.keys(OPTIONS).filter((name) => !isForObjects(name, OPTIONS[name]?.type) && !refused.includes(name)),
    );
  });

  it('loses what the mirror decides for itself, and nothing else', () => {
    for (const { names, heeded } of uriOptions) {
      for (const name of names) {
        const uri = `mongodb://u:p%3F@a:1,b:2/shop?replicaSet=x&${name.toUpperCase()}=1&authSource=y`;
        expect(mirrorUri(uri), name).to.equal(heeded ? uri : 'mongodb://u:p%3F@a:1,b:2/shop?replicaSet=x&authSource=y');
      }
    }
  });

  const same = [
    'mongodb://a',
    'mongodb://a/',
    'mongodb+srv://u:what?w=0@a.example/db',
    'mongodb://a/?replicaSet=r%26w%3D0',
  ];
  for (const uri of same) {
    it(`stays as it is where it says nothing of that: ${uri}`, () => {
      expect(mirrorUri(uri)).to.equal(uri);
      expect(uriFault(uri)).to.equal(null);
    });
  }

  it('loses every one of them', () => {
    expect(mirrorUri('mongodb://a/?w=1')).to.equal('mongodb://a/');
    expect(mirrorUri('mongodb://a/?readPreferenceTags=dc:a&readPreferenceTags=&W=2')).to.equal('mongodb://a/');
    expect(primaryUri('mongodb://a/?readPreference=nearest&maxStalenessSeconds=90&w=1')).to.equal('mongodb://a/?w=1');
  });

  it('is refused with w=0', () => {
    for (const option of ['w=0', 'W=0', 'w=00', 'replicaSet=a&w=0&appName=b'])
      expect(uriFault(`mongodb://a/?${option}`), option).to.match(/^w=0 asks for/);
    for (const option of ['w=1', 'w=majority', 'w=10', 'wtimeoutMS=0'])
      expect(uriFault(`mongodb://a/?${option}`), option).to.equal(null);
  });
});
