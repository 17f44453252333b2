import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import * as prometheus from 'prom-client';

const dist = fileURLToPath(new URL('../../../dist/', import.meta.url));
const root = join(dist, '..');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

describe('a package of which this one has only what it uses', () => {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => /(\.js|\.d\.ts)$/.test(file));
  const read = (file: string): string => readFileSync(join(dist, file), 'utf8');

  for (const [name, least, mayLoad] of [
    ['zod', 50, () => false],
    ['prom-client', 1, isBuiltin],
  ] as const) {
    it(`is named by no file, neither of the code nor of the types, and by no dependency: ${name}`, () => {
      const from = new RegExp(`(?:from|import\\(?|require\\() ?["']${name}(?:/[^"']*)?["']`);
      expect(files.filter((file) => from.test(withoutComments(read(file))))).to.deep.equal([]);
      const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
      expect(manifest.dependencies).to.not.have.property(name);
    });

    it(`is one file of code that loads no other package, with types that are all there, and its licence: ${name}`, () => {
      const code = read(`vendor/${name}.js`);
      const loaded = [...code.matchAll(/(?:^import\b[^"';]*|require\d*\()["']([^"']+)["']/gm)].map(([, what]) => what!);
      expect(loaded.filter((what) => !mayLoad(what))).to.deep.equal([]);
      const own = files.filter((file) => file.startsWith(`vendor/${name}`) && file.endsWith('.d.ts'));
      expect(own.length).to.be.above(least);
      for (const file of own)
        for (const [, other] of withoutComments(read(file)).matchAll(/(?:from|import\() ?["']([^"']+)["']/g))
          expect(existsSync(join(dist, dirname(file), other!.replace(/\.js$/, '.d.ts'))), `${file}: ${other}`).to.equal(
            true,
          );
      const licence = readFileSync(join(root, `node_modules/${name}/LICENSE`), 'utf8');
      expect(code).to.include(licence);
      expect(read(`vendor/${name}/LICENSE`)).to.include(licence);
    });
  }

  it('is smaller than what it stands for by far', () => {
    const bytes = files.filter((file) => file.startsWith('vendor/')).map((file) => read(file).length);
    expect(bytes.reduce((sum, size) => sum + size, 0)).to.be.below(680_000);
  });

  it('gives the metrics what prom-client itself gives', async () => {
    const own = await import('#quiesce/vendor/prom-client.js');
    const texts = [own, prometheus as unknown as typeof own].map(async ({ Counter, Gauge, Histogram, Registry }) => {
      const registry = new Registry();
      const registers = [registry];
      new Counter({ name: 'a_total', help: 'a', labelNames: ['x'], registers }).inc({ x: '"\n' }, 2);
      new Gauge({ name: 'b', help: 'b', registers }).set(0.5);
      new Histogram({ name: 'c', help: 'c', buckets: [1, 2], registers }).observe(1.5);
      return registry.metrics();
    });
    const [ours, theirs] = await Promise.all(texts);
    expect(ours).to.equal(theirs).and.include('c_bucket{le="2"} 1');
  });
});

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[^]*?\*\//g, '');
}
