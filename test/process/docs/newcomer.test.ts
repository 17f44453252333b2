/**
 * What a newcomer does, with the package as npm packs it: the commands of the README from an empty folder to a mirrored
 * feed, then the recipes of the library, from the page in the package.
 */
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { commandsIn, filesIn, type Commands } from '../../../dev/docs/commands.ts';
import { root } from '../../../dev/docs/generated.ts';
import { runProgram } from '../harness/commands/command.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { recipes, start, type Started } from './library-recipes.ts';
import { appOfReadme, packInto, Project } from './project.ts';

const repository = fileURLToPath(root);
const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');

describe("a newcomer's path", function () {
  this.timeout(180_000);
  let database: TestDatabase;
  let project: Project;
  let tarball: string;
  let packed: readonly string[];
  let path: readonly Commands[];
  let page: string;

  before('the package, packed, and an empty folder', async () => {
    const readme = await readFile(join(repository, 'README.md'), 'utf8');
    const section = readme.slice(readme.indexOf('\n## In your app\n'));
    path = commandsIn(section.slice(0, section.indexOf('\n## ', 1)));
    database = await newDatabase();
    project = await Project.empty(database);
    ({ tarball, files: packed } = await packInto(project.folder));
  });
  after('it ended', async () => {
    await project?.close();
    await discard(database);
  });

  it('begins with a package of nothing but what is used', () => {
    const folders = new Set(packed.map((file) => file.split('/')[0]));
    expect([...folders]).to.have.members([
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'LICENSE',
      'README.md',
      'dist',
      'docs',
      'ecosystem.config.js',
      'package.json',
    ]);
    expect(packed.filter((file) => /\.test\.|\.map$|mongod(?!b-uri\.)/.test(file))).to.deep.equal([]);
  });

  it('has every page that a page of it links to', async () => {
    const missing: string[] = [];
    for (const page of packed.filter((file) => file.endsWith('.md'))) {
      const text = await readFile(join(repository, page), 'utf8');
      for (const [, target] of text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
        if (/^https?:/.test(target!)) continue;
        const file = new URL(target!, new URL(page, 'file:///')).pathname.slice(1);
        if (!packed.includes(file)) missing.push(`${page}: ${target}`);
      }
    }
    expect(missing).to.deep.equal([]);
  });

  it('leads from nothing to a mirrored feed by what the README says, and by nothing else', async () => {
    const [install, start, use] = path;
    expect(install!.script).to.match(/^npm install quiesce express$/m);
    expect(start!.starts).to.equal(true);
    const script = install!.script.replace('npm install quiesce', `npm install --prefer-offline ${tarball}`);
    await project.run(script, 150_000).catch((error: unknown) => {
      throw new Error('npm could not install the package and Express: is the registry reachable?', { cause: error });
    });
    expect((await readdir(join(project.folder, 'node_modules', '.bin'))).includes('quiesce')).to.equal(true);
    await writeFile(join(project.folder, 'app.js'), await appOfReadme());
    await project.start(start!.script);
    const [sync] = use!.script.split('\n');
    await project.run(sync!);
    expect(await stored()).to.deep.equal([
      { _id: 'a', size: 1 },
      { _id: 'b', size: 2 },
    ]);
    const answer = await fetch(`${project.url}/api/sync`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: '[{"id":"b","size":3}]',
    });
    expect(answer.status).to.equal(204);
    expect(answer.headers.get('quiesce-counts')).to.equal('inserted=0, updated=1, deleted=1, unchanged=0');
    expect(await stored()).to.deep.equal([{ _id: 'b', size: 3 }]);
  });

  it('has the page of the library, and npm the packages that the page says', async () => {
    page = await readFile(join(project.folder, 'node_modules', 'quiesce', 'docs', 'library.md'), 'utf8');
    const said = [...page.matchAll(/`npm install (?:-D )?([^`]+)`/g)].map(([, name]) => name!);
    expect(said).to.have.members(['@types/express', 'zod', 'mongodb']);
    await project.run(`npm install --prefer-offline ${said.join(' ')}`, 150_000);
  });

  it('has types that a strict compiler takes', async () => {
    const app = await appOfReadme();
    const wrong = `import { gate } from 'quiesce';
      import type { AppDefinition } from 'quiesce/primary';
      gate({ onPause: 'explode' });
      export const right: AppDefinition = { script: 'a.js', port: '3000', args: ['-p', 1], quiesce: { sync: { max_bytes: '1G' } } };
      export const app: AppDefinition = { script: 'app.js', quiesce: { sync: { max_byte: '1G' } } };`;
    await writeFile(join(project.folder, 'app.ts'), app);
    await writeFile(join(project.folder, 'wrong.ts'), wrong);
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022'];
    const check = (file: string): ReturnType<typeof runProgram> =>
      runProgram(process.execPath, [compiler, ...options, file], { cwd: project.folder, within: 60_000 });
    expect(await check('app.ts')).to.include({ out: '', code: 0 });
    const { out } = await check('wrong.ts');
    expect(out)
      .to.match(/wrong\.ts.*'"explode"' is not assignable/)
      .and.match(/'max_byte' does not exist/);
    expect(out.match(/error TS/g), out).to.have.length(2);
    await rm(join(project.folder, 'wrong.ts'));
  });

  describe('goes on to the recipes of docs/library.md, which', () => {
    let files: Map<string, string>;
    let started: Started | undefined;
    afterEach(async () => {
      await started?.kill();
      started = undefined;
    });

    it('are compiled, and all tried here', async () => {
      await project.stop();
      files = filesIn(page);
      const blocks = page.match(/^```(ts|js|typescript|javascript)$/gm);
      expect(blocks, 'blocks that no test would see').to.have.lengthOf(files.size);
      expect([...files.keys()].filter((name) => name !== 'items.ts').sort()).to.deep.equal(Object.keys(recipes).sort());
      for (const [name, code] of files) await writeFile(join(project.folder, name), code);
      // As an app has it that was made with `tsc --init` some years ago, and strict.
      const options = ['--strict', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', '--types', 'node'];
      const all = [compiler, ...options, '--ignoreConfig', ...files.keys()];
      const { code, out } = await runProgram(process.execPath, all, { cwd: project.folder, within: 100_000 });
      expect(out).to.equal('');
      expect(code).to.equal(0);
    });

    for (const [name, works] of Object.entries(recipes))
      it(`work: ${name}`, async () => {
        const own = await newDatabase();
        started = await start(project.folder, name, own);
        await works(started);
        await discard(own);
      });
  });

  async function stored(): Promise<unknown[]> {
    return database.db.collection('resources').find().sort({ _id: 1 }).toArray();
  }
});
