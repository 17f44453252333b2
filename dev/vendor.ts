/**
 * Puts what the package uses of zod into dist/vendor: the code in one file, the types beside it. So no install gets the
 * rest, and no start loads a hundred modules.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = join(root, 'dist/vendor');
const zod = dirname(fileURLToPath(import.meta.resolve('zod/package.json')));
const { version } = JSON.parse(readFileSync(join(zod, 'package.json'), 'utf8')) as { version: string };

const licence = `zod ${version}, https://zod.dev\n\n${readFileSync(join(zod, 'LICENSE'), 'utf8')}`;
buildSync({
  entryPoints: [join(root, 'src/vendor/zod.ts')],
  outfile: join(target, 'zod.js'),
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  minifySyntax: true, // nobody's stack trace loses a name by that
  banner: { js: `/*!\n${licence}*/` },
  logLevel: 'warning',
});

/** A file of types, and those that it imports. */
function* withImports(file: string, seen = new Set<string>()): Generator<string> {
  if (seen.has(file)) return;
  seen.add(file);
  yield file;
  for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?["'](\.[^"']+)\.js["']/g))
    yield* withImports(resolve(dirname(file), `${name}.d.ts`), seen);
}

rmSync(join(target, 'zod'), { recursive: true, force: true });
for (const file of withImports(join(zod, 'v4/classic/external.d.ts'))) {
  const copy = join(target, 'zod', relative(zod, file));
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(file, copy);
}
writeFileSync(join(target, 'zod/LICENSE'), licence);
const types = join(target, 'zod.d.ts');
writeFileSync(types, readFileSync(types, 'utf8').replaceAll("from 'zod'", "from './zod/v4/classic/external.js'"));
