import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';

const exec = promisify(execFile);

/** What each part of src may import; the linter's configuration has to say the same. */
const parts = ['fetch', 'mirror', 'cluster', 'primary', 'keeper', 'worker', 'cli', 'dashboard'] as const;
const below: Record<string, readonly (typeof parts)[number][]> = {
  'errors.ts': [],
  'config/load.ts': [],
  'protocol/workers/messages.ts': [],
  'fetch/fetch-feed.ts': [],
  'mirror/thread.ts': [],
  'cluster/site.ts': [],
  'keeper/main.ts': [],
  'primary/main.ts': ['fetch', 'mirror', 'cluster'],
  'worker/deep/gate.ts': ['mirror'],
  'index.ts': ['mirror', 'worker'],
  'run.ts': ['mirror', 'primary', 'dashboard'],
  'cli/main.ts': ['fetch', 'primary', 'keeper', 'dashboard'],
  'dashboard/routes.ts': ['mirror', 'primary'],
};

describe('the linter', function () {
  this.timeout(20_000);
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'quiesce-lint-'));
    await copyFile('.oxlintrc.json', join(root, '.oxlintrc.json'));
    // Its type-aware half is looked for there.
    await symlink(resolve('node_modules'), join(root, 'node_modules'));
  });

  afterEach(async () => rm(root, { recursive: true }));

  async function write(files: Record<string, string>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
  }

  interface Complaint {
    readonly filename: string;
    readonly code: string;
    readonly labels: readonly { readonly span: { readonly line: number } }[];
  }

  async function lint(...options: string[]): Promise<Complaint[]> {
    const oxlint = resolve('node_modules/.bin/oxlint');
    const { stdout } = await exec(oxlint, [...options, '--format', 'json', 'src'], { cwd: root }).catch(
      (failure: { stdout: string }) => failure,
    );
    return (JSON.parse(stdout) as { diagnostics: Complaint[] }).diagnostics;
  }

  for (const [file, allowed] of Object.entries(below)) {
    it(`lets ${file} import ${allowed.join(', ') || 'no other part'}, and nothing above`, async () => {
      const up = '../'.repeat(file.split('/').length - 1) || './';
      const others = parts.filter((part) => part !== file.split('/')[0]);
      await write(Object.fromEntries(others.map((part) => [`src/${part}/target.ts`, 'export const target = 1;\n'])));
      const lines = others.map((part) => `export { target as ${part} } from '${up}${part}/target.ts';\n`);
      await write({ [`src/${file}`]: lines.join('') });
      const refused = (await lint())
        .filter(({ code }) => code.includes('no-restricted-imports'))
        .map(({ labels }) => others[(labels[0]?.span.line ?? 0) - 1]);
      expect(refused).to.have.members(others.filter((part) => !allowed.includes(part)));
    });
  }

  it('lets the command line start a site as a program does, and by no other way', async () => {
    await write({
      'src/primary/main.ts': 'export const main = 1;\n',
      'src/run.ts': "export { main } from './primary/main.ts';\n",
      'src/cli/start.ts': "export { main } from '../run.ts';\nexport { main as other } from '../primary/main.ts';\n",
      'src/cli/orders/start.ts': "export { main } from '../../primary/main.ts';\n",
    });
    const refused = (await lint())
      .filter(({ code }) => code.includes('no-restricted-imports'))
      .map(({ filename, labels }) => `${filename}:${labels[0]?.span.line}`);
    expect(refused).to.have.members(['src/cli/orders/start.ts:1', 'src/cli/start.ts:2']);
  });

  it('finds imports that go round in a circle', async () => {
    await write({
      'src/mirror/a.ts': "import { b } from './b.ts';\nexport const a = () => b();\n",
      'src/mirror/b.ts': "import { a } from './a.ts';\nexport const b = (): unknown => a();\n",
    });
    expect(codes(await lint())).to.include('import(no-cycle)');
  });

  it('finds a promise that nobody waits for, and a switch that leaves out a case', async () => {
    await write({
      'tsconfig.json': '{ "compilerOptions": { "strict": true }, "include": ["src"] }',
      'src/mirror/a.ts':
        'async function a() {}\nexport function b() {\n  a();\n}\n' +
        "export function c(d: 'x' | 'y') {\n  switch (d) {\n    case 'x':\n      b();\n  }\n}\n",
    });
    const found = codes(await lint('--type-aware'));
    expect(found).to.include('typescript(no-floating-promises)');
    expect(found).to.include('typescript(switch-exhaustiveness-check)');
  });

  function codes(complaints: readonly Complaint[]): string[] {
    return complaints.map(({ code }) => code);
  }
});
