/**
 * Puts what the package uses of zod and prom-client into dist/vendor: the code of each in one file, the types beside it.
 * So no install gets the rest, and no start loads a hundred modules.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync, type BuildOptions } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = join(root, 'dist/vendor');

interface Vendored {
  readonly name: string;
  readonly homepage: string;
  readonly code: BuildOptions;
  /** Relative to the folder of the package. */
  readonly types: string;
}

function vendor({ name, homepage, code, types }: Vendored): void {
  const from = dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));
  const { version } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as { version: string };
  const licence = `${name} ${version}, ${homepage}\n\n${readFileSync(join(from, 'LICENSE'), 'utf8')}`;
  const { banner, ...how } = code;
  buildSync({
    outfile: join(target, `${name}.js`),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minifySyntax: true, // nobody's stack trace loses a name by that
    banner: { js: `/*!\n${licence}*/\n${banner?.['js'] ?? ''}` },
    logLevel: 'warning',
    ...how,
  });
  const folder = join(target, name);
  rmSync(folder, { recursive: true, force: true });
  for (const file of withImports(join(from, types))) {
    const copy = join(folder, relative(from, file));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(file, copy);
  }
  writeFileSync(join(folder, 'LICENSE'), licence);
  const own = join(target, `${name}.d.ts`);
  const there = `from './${name}/${types.replace('.d.ts', '.js')}'`;
  writeFileSync(own, readFileSync(own, 'utf8').replaceAll(`from '${name}'`, there));
}

/** A file of types, and those that it imports. */
function* withImports(file: string, seen = new Set<string>()): Generator<string> {
  if (seen.has(file)) return;
  seen.add(file);
  yield file;
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?["'](\.[^"']+)\.js["']/g))
    yield* withImports(resolve(dirname(file), `${name}.d.ts`), seen);
}

/** The classes of prom-client each have a file. Its index would load all of it, and two packages more. */
function classFiles(): string {
  const [, names = ''] = /export \{([^}]+)\}/.exec(readFileSync(join(root, 'src/vendor/prom-client.ts'), 'utf8'))!;
  const files = names.split(',').map((name) => name.trim());
  return files
    .map((name) => `export { default as ${name} } from 'prom-client/lib/${name.toLowerCase()}.js';`)
    .join('\n');
}

vendor({
  name: 'zod',
  homepage: 'https://zod.dev',
  code: { entryPoints: [join(root, 'src/vendor/zod.ts')] },
  types: 'v4/classic/external.d.ts',
});
vendor({
  name: 'prom-client',
  homepage: 'https://github.com/siimon/prom-client',
  code: {
    stdin: { contents: classFiles(), resolveDir: root },
    // It is CommonJS, and loads util.
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  },
  types: 'index.d.ts',
});
