import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const dist = fileURLToPath(new URL('../../../dist/', import.meta.url));
const root = join(dist, '..');

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>;
}

describe('zod, of which the package has only what it uses', () => {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => /(\.js|\.d\.ts)$/.test(file));
  const read = (file: string): string => readFileSync(join(dist, file), 'utf8');

  it('is named by no file, neither of the code nor of the types, and by no dependency', () => {
    const naming = files.filter((file) =>
      /(?:from|import\(?) ?["']zod(?:\/[^"']*)?["']/.test(withoutComments(read(file))),
    );
    expect(naming).to.deep.equal([]);
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest;
    expect(manifest.dependencies).to.not.have.property('zod');
  });

  it('is one file of code that loads nothing, with types that are all there, and its licence', () => {
    expect(read('vendor/zod.js')).to.not.match(/^import |\brequire\(/m);
    const types = files.filter((file) => file.startsWith('vendor/') && file.endsWith('.d.ts'));
    expect(types.length).to.be.above(50);
    for (const file of types)
      for (const [, name] of withoutComments(read(file)).matchAll(/(?:from|import\() ?["']([^"']+)["']/g))
        expect(existsSync(join(dist, dirname(file), name!.replace(/\.js$/, '.d.ts'))), `${file}: ${name}`).to.equal(
          true,
        );
    const licence = readFileSync(join(root, 'node_modules/zod/LICENSE'), 'utf8');
    expect(read('vendor/zod.js')).to.include(licence);
    expect(read('vendor/zod/LICENSE')).to.include(licence);
  });

  it('is smaller than what it stands for by far', () => {
    const bytes = files.filter((file) => file.startsWith('vendor/')).map((file) => read(file).length);
    expect(bytes.reduce((sum, size) => sum + size, 0)).to.be.below(600_000);
  });
});

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[^]*?\*\//g, '');
}
