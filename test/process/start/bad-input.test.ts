/** Whatever is wrong with what `quiesce start` is given: what it ends with, what it says, and that it leaves nothing. */
import { chmod, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { quiesce } from '../harness/commands/command.ts';

const files = {
  'app.js': `require('node:fs').writeFileSync('ran', ''); require('node:http').createServer().listen(process.env.PORT);`,
  'broken.config.cjs': 'module.exports = {',
  'throws.config.cjs': `throw new Error('no secrets on this machine');`,
  'none.config.cjs': 'module.exports = {};',
  'esm.config.mjs': `import './missing.mjs'; export const apps = [];`,
  'wrong.config.json': JSON.stringify({
    apps: [
      {
        name: 'shop',
        scrip: 'app.js',
        instances: 'many',
        kill_timeout: -1,
        quiesce: { sync: { token: 'to ken', max_deletes: '150%' }, maintenance: { drain_timeout: 'soon' }, foo: 1 },
      },
    ],
  }),
  'missing.config.json': JSON.stringify({ apps: [{ script: 'gone.js' }] }),
  'a-file': '',
};

interface Case {
  readonly args: readonly string[];
  readonly says: RegExp;
  readonly env?: Readonly<Record<string, string>>;
}

const flags: readonly Case[] = [
  { args: ['app.js', '--bogus'], says: /unknown option '--bogus'/ },
  { args: ['app.js', '--port', '70000'], says: /--port cannot be "70000"; it takes a whole number from 0 to 65535/ },
  { args: ['app.js', '-i', 'many'], says: /--instances cannot be "many"; it takes 'max', 0/ },
  { args: ['app.js', '--only', 'other'], says: /--only other: app\.js has no app of that name; it has app/ },
  { args: ['app.js', '--env', 'moon'], says: /--env moon: app\.js has no env_moon; it has none/ },
  { args: ['app.js', '--data-dir', ''], says: /--data-dir is empty/ },
  { args: ['app.js'], env: { LOG_LEVEL: 'loud' }, says: /LOG_LEVEL cannot be "loud"; it takes trace, / },
  { args: ['app.js'], env: { MONGODB_URI: 'me:s3cret@host' }, says: /MONGODB_URI .* begins with 'mongodb:\/\/'/ },
  { args: ['app.js'], env: { QUIESCE_SYNC_TOKEN: 's3cret two' }, says: /QUIESCE_SYNC_TOKEN .* text without spaces/ },
];

const configurations: readonly Case[] = [
  { args: [], says: /There is no ecosystem\.config\.js in .* Name a configuration or a script/ },
  { args: ['gone.js'], says: /gone\.js cannot be read: there is no such file/ },
  { args: ['folder.config.js'], says: /folder\.config\.js is not a file/ },
  { args: ['broken.config.cjs'], says: /broken\.config\.cjs cannot be loaded: Unexpected end of input/ },
  { args: ['throws.config.cjs'], says: /throws\.config\.cjs cannot be loaded: no secrets on this machine \(line 1\)/ },
  { args: ['esm.config.mjs'], says: /esm\.config\.mjs cannot be loaded: .*missing\.mjs/ },
  { args: ['none.config.cjs'], says: /describes no app/ },
  { args: ['missing.config.json'], says: /script is .*gone\.js, and there is no such file/ },
  {
    args: ['wrong.config.json'],
    says: /in 8 places:[^]*did you mean script\?[^]*script is missing[^]*instances cannot be "many"[^]*kill_timeout cannot be -1[^]*token cannot be what it is \(not shown\)[^]*max_deletes cannot be "150%"[^]*drain_timeout cannot be "soon"[^]*foo is not a setting/,
  },
];

const dataDirs: readonly Case[] = [
  { args: ['app.js', '--data-dir', 'a-file'], says: /a-file cannot be used: ENOTDIR.* name another with --data-dir/ },
  // Where not even root may write.
  { args: ['app.js', '--data-dir', '/proc/quiesce'], says: /\/proc\/quiesce cannot be used: ENOENT.*Make it writable/ },
  { args: ['app.js'], env: { QUIESCE_DATA_DIR: '/sys/quiesce' }, says: /\/sys\/quiesce cannot be used: E/ },
  {
    args: ['app.js', '--data-dir', 'others'],
    says: /others holds other files and is open to other users \(mode 777\)/,
  },
];

describe('quiesce start', function () {
  this.timeout(60_000);
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(await realpath(tmpdir()), 'quiesce-'));
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    await mkdir(join(folder, 'folder.config.js'));
    await mkdir(join(folder, 'others'));
    await writeFile(join(folder, 'others', 'kept'), '');
    await chmod(join(folder, 'others'), 0o777);
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function refuses({ args, says, env = {} }: Case): Promise<void> {
    const before = await readdir(folder, { recursive: true });
    const { code, out, err } = await quiesce(['start', ...args], { cwd: folder, env });
    const told = `start ${args.join(' ')} ${JSON.stringify(env)}: ${out}${err}`;
    expect(code, told).to.equal(2);
    expect(err, told).to.match(says);
    expect(out, told).to.equal('');
    expect(err, told).to.not.match(/^ +at |s3cret/m);
    expect(await readdir(folder, { recursive: true }), told).to.deep.equal(before);
  }

  for (const [what, cases] of Object.entries({
    'flags and variables that it cannot use': flags,
    'a configuration that it cannot use, naming all that is wrong': configurations,
    'a data directory that cannot be written': dataDirs,
  })) {
    it(`refuses ${what} with 2, and leaves nothing behind`, async () => {
      for (let at = 0; at < cases.length; at += 2) await Promise.all(cases.slice(at, at + 2).map(refuses));
    });
  }
});
