import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { expect } from 'chai';

/** Folders whose rooms have a direction: of two of them, or of a room and the folder's own files, one imports the other. */
const ordered = ['config', 'protocol', 'primary/fleet', 'primary/maintenance', 'primary/runs', 'worker/gate'];

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Which folder below this one imports which, the folder itself among them. */
function importsBetweenRooms(folder: string, files: readonly (readonly [string, string])[]): Map<string, Set<string>> {
  const rooms = new Map<string, Set<string>>();
  for (const [file, text] of files) {
    const room = dirname(file);
    for (const [, path = ''] of text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'(\.[^']+)'/g)) {
      const other = normalize(join(room, dirname(path)));
      if (other === room || !`${other}/`.startsWith(`${folder}/`)) continue;
      rooms.set(room, (rooms.get(room) ?? new Set()).add(other));
    }
  }
  return rooms;
}

/** The rooms that import, directly or not, themselves. */
function circlesIn(imports: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return [...imports.keys()].filter((room) => {
    const seen = new Set(imports.get(room));
    for (const other of seen) for (const next of imports.get(other) ?? []) seen.add(next);
    return seen.has(room);
  });
}

describe('the folders', () => {
  it('have no more than twenty files each', () => {
    const counts = new Map<string, number>();
    for (const file of ['src', 'test', 'dev', 'bench'].flatMap(filesIn))
      counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
    expect(counts.size).to.be.above(80);
    expect([...counts].filter(([, count]) => count > 20)).to.deep.equal([]);
  });

  for (const folder of ordered) {
    it(`in src/${folder} import one way`, () => {
      const files = filesIn(`src/${folder}`).map((file) => [file, readFileSync(file, 'utf8')] as const);
      const imports = importsBetweenRooms(`src/${folder}`, files);
      expect(imports.size).to.be.above(1);
      expect(circlesIn(imports)).to.deep.equal([]);
    });
  }

  it('that imported each other would be found', () => {
    const files = [
      ['src/a/b/x.ts', "import { y } from '../c/y.ts';"],
      ['src/a/c/y.ts', "import type { Z } from '../z.ts';"],
      ['src/a/z.ts', "const { x } = await import('./b/x.ts');"],
    ] as const;
    const all = ['src/a', 'src/a/b', 'src/a/c'];
    expect(circlesIn(importsBetweenRooms('src/a', files))).to.have.members(all);
    expect(circlesIn(importsBetweenRooms('src/a', files.slice(1)))).to.deep.equal([]);
  });

  it('of their unit tests are the same', () => {
    const astray = ordered.flatMap((folder) => {
      const sources = filesIn(`src/${folder}`);
      return filesIn(`test/unit/${folder}`).filter((test) => {
        const own = test.replace('test/unit/', 'src/').replace('.test.ts', '.ts');
        const namesakes = sources.filter((file) => test.endsWith('.test.ts') && basename(file) === basename(own));
        return namesakes.length > 0 && !namesakes.includes(own);
      });
    });
    expect(astray).to.deep.equal([]);
  });
});
