import { renameSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { evaluateFresh } from '#quiesce/config/file/fresh-process.js';
import { loadConfig } from '#quiesce/config/load.js';
import { readAgain, undoing, type Origin } from '#quiesce/config/origin.js';
import type { QuiesceError } from '#quiesce/errors.js';
import { scratchFolders } from '../scratch.js';

const scratch = scratchFolders();

describe('a configuration that is read again', function () {
  this.timeout(30_000);

  const origin = (folder: string, more: Partial<Origin> = {}): Origin => ({
    file: undefined,
    options: { folder },
    env: { PATH: process.env['PATH'] },
    argv: ['node', 'quiesce', 'start'],
    ...more,
  });
  const refusal = (reading: Promise<unknown>): Promise<QuiesceError> =>
    reading.then(
      () => expect.fail('it was accepted'),
      (error: QuiesceError) => error,
    );

  for (const [kind, files] of Object.entries({
    CommonJS: {
      'ecosystem.config.cjs': "module.exports = { apps: [{ script: 'app.js', env: require('./more.cjs') }] };",
      'more.cjs': "module.exports = { COLOR: 'red' };",
    },
    'ES modules': {
      'ecosystem.config.mjs': "import more from './more.cjs';\nexport const apps = [{ script: 'app.js', env: more }];",
      'more.cjs': "module.exports = { COLOR: 'red' };",
    },
  }))
    it(`is what it and the files that it loads are now (${kind})`, async () => {
      const folder = scratch({ 'app.js': '', ...files });
      expect((await loadConfig(undefined, { folder })).apps[0]?.env['COLOR']).to.equal('red');
      writeFileSync(path.join(folder, 'more.cjs'), "module.exports = { COLOR: 'blue' };");
      expect((await readAgain(origin(folder))).apps[0]?.env['COLOR']).to.equal('blue');
    });

  it('lies where the name that was given leads now', async () => {
    const release = (color: string): string =>
      scratch({
        'app.js': '',
        'ecosystem.config.json': `{"apps": [{"script": "app.js", "env": {"COLOR": "${color}"}}]}`,
      });
    const current = path.join(scratch({}), 'current');
    symlinkSync(release('red'), current);
    const { env } = (await readAgain(origin(current))).apps[0]!;
    symlinkSync(release('blue'), `${current}.new`);
    renameSync(`${current}.new`, current);
    expect([env['COLOR'], (await readAgain(origin(current))).apps[0]?.env['COLOR']]).to.deep.equal(['red', 'blue']);
  });

  it('keeps the flags and the environment of the start', async () => {
    const file =
      "exports.apps = ['a', 'b'].map((name) => ({ name, script: 'app.js', env: { PORT: 1 }, env_x: { X: process.argv[2] } }));";
    const folder = scratch({ 'app.js': '', 'ecosystem.config.cjs': file });
    const options = { folder, only: 'b', envName: 'x', instances: '3', port: '7' };
    const [app] = (await readAgain(origin(folder, { options }))).apps;
    expect(app).to.deep.include({ name: 'b', instances: 3, env: { PORT: '7', X: 'start' } });
    const launched = { folder, only: 'b', launched: true };
    const env = { PORT: '9' };
    expect((await readAgain(origin(folder, { options: launched, env }))).apps[0]?.env['PORT']).to.equal('1');
    expect((await readAgain(origin(folder, { options: { folder, only: 'b' }, env }))).apps[0]?.env['PORT']).to.equal(
      '9',
    );
  });

  it('sees what the file puts into the environment, as dotenv does, anew each time', async () => {
    const file = "process.env.COLOR ??= require('./color.cjs');\nexports.apps = [{ script: 'app.js' }];";
    const folder = scratch({ 'app.js': '', 'ecosystem.config.cjs': file, 'color.cjs': "module.exports = 'red';" });
    const read = async (): Promise<unknown> => (await readAgain(origin(folder))).apps[0]?.env;
    expect(await read()).to.deep.equal({ COLOR: 'red' });
    writeFileSync(path.join(folder, 'color.cjs'), "module.exports = 'blue';");
    expect(await read()).to.deep.equal({ COLOR: 'blue' });
    expect(undoing({ A: '1', B: '2' }, { A: '1', B: '3', C: '4' })).to.deep.equal({ B: '2', C: undefined });
  });

  it('harms nobody by what the file does, and is named as wrong', async () => {
    const wrong: [string, RegExp][] = [
      ["throw new Error('no such secret');", /cannot be loaded: no such secret \(line 1\)/],
      ['process.exit(0);', /ended its process with code 0/],
      ["console.error('out of luck'); process.exit(9);", /ended its process with code 9\. out of luck/],
      ['process.abort();', /ended its process with SIGABRT/],
      ['setTimeout(() => { throw new Error(); }); for (;;);', /had not ended after 0.3 s/],
    ];
    for (const [source, expected] of wrong) {
      const folder = scratch({ 'ecosystem.config.cjs': source });
      const file = path.join(folder, 'ecosystem.config.cjs');
      const evaluate = (path: string): Promise<unknown> =>
        evaluateFresh(path, { env: {}, folder, argv: [], limit: source.includes('for') ? 300 : 10_000 });
      const error = await refusal(loadConfig(file, { folder, processEnv: {}, evaluate }));
      expect(error).to.include({ code: 'bad-config' });
      expect(error.message).to.match(expected);
    }
  });

  it('is named as wrong in the same words as at a start', async () => {
    const source = "exports.apps = [{ script: 'gone.js', instances: () => 4, colour: 1 }];";
    const folder = scratch({ 'ecosystem.config.cjs': source });
    const first = await refusal(loadConfig(undefined, { folder, processEnv: {} }));
    expect(await refusal(readAgain(origin(folder)))).to.include({ code: 'bad-config', message: first.message });
    expect(first.message).to.match(
      /instances cannot be a function.*\n.*colour is not a setting|colour is not a setting.*\n.*instances cannot/,
    );
  });

  it('is a script without a file', async () => {
    const folder = scratch({ 'app.js': '' });
    const [app] = (await readAgain(origin(folder, { file: 'app.js' }))).apps;
    expect(app).to.include({ name: 'app', script: path.join(folder, 'app.js') });
  });
});
