/** What a newcomer does: the commands of the README from an empty folder to a mirrored feed, with the package as npm packs it. */
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { commandsIn, type Commands } from '../../../dev/docs/commands.ts';
import { root } from '../../../dev/docs/generated.ts';
import { runProgram } from '../harness/commands/command.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { appOfReadme, Project } from './project.ts';

const repository = fileURLToPath(root);

describe("a newcomer's path", function () {
  this.timeout(180_000);
  let database: TestDatabase;
  let project: Project;
  let tarball: string;
  let packed: readonly string[];
  let path: readonly Commands[];

  before('the package, packed, and an empty folder', async () => {
    const readme = await readFile(join(repository, 'README.md'), 'utf8');
    const section = readme.slice(readme.indexOf('\n## In your app\n'));
    path = commandsIn(section.slice(0, section.indexOf('\n## ', 1)));
    database = await newDatabase();
    project = await Project.empty(database);
    const { code, out, err } = await runProgram('npm', ['pack', '--json', '--pack-destination', project.folder], {
      cwd: repository,
    });
    if (code !== 0) throw new Error(`npm pack failed: ${err}`);
    const [made] = JSON.parse(out) as { filename: string; files: { path: string }[] }[];
    tarball = `./${made!.filename}`;
    packed = made!.files.map((file) => file.path);
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

  it('has types that a strict compiler takes', async () => {
    // As docs/library.md says.
    await project.run('npm install --prefer-offline -D @types/express', 150_000);
    const app = await appOfReadme();
    const wrong = `import { gate } from 'quiesce';
      import type { AppDefinition } from 'quiesce/primary';
      gate({ onPause: 'explode' });
      export const right: AppDefinition = { script: 'a.js', exec_mode: 'cluster', quiesce: { sync: { max_bytes: '1G' } } };
      export const app: AppDefinition = { script: 'app.js', quiesce: { sync: { max_byte: '1G' } } };`;
    await writeFile(join(project.folder, 'app.ts'), app);
    await writeFile(join(project.folder, 'wrong.ts'), wrong);
    const compiler = join(repository, 'node_modules', 'typescript', 'bin', 'tsc');
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

  async function stored(): Promise<unknown[]> {
    return database.db.collection('resources').find().sort({ _id: 1 }).toArray();
  }
});
