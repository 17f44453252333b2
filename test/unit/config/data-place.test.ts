import { expect } from 'chai';
import { copyFileSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { dataPlace, dataPlaces, isSwitched, workingFolder } from '#quiesce/config/data-place.js';
import { loadConfig } from '#quiesce/config/load.js';
import { scratchFolders } from '../scratch.js';

const scratch = scratchFolders();

describe('the default place of a data directory', () => {
  let root: string;
  let env: Record<string, string>;

  beforeEach(() => {
    root = scratch({ 'shop/releases/1/api/x': '', 'shop/releases/2/api/x': '', 'blog/current/x': '', 'state/x': '' });
    symlinkSync('releases/1', path.join(root, 'shop/current'));
    env = { XDG_STATE_HOME: path.join(root, 'state') };
  });

  const at = (folder: string, name = 'web'): string => dataPlace(name, path.join(root, folder), env).dataDir;
  const switchTo = (release: number): void => {
    rmSync(path.join(root, 'shop/current'));
    symlinkSync(`releases/${release}`, path.join(root, 'shop/current'));
  };

  it('is one for all releases, and outside of them', () => {
    const first = at('shop/current');
    expect(first).to.match(new RegExp(`^${root}/state/quiesce/shop-current-[0-9a-f]{10}/web$`));
    switchTo(2);
    expect(at('shop/current')).to.equal(first);
    expect([isSwitched(path.join(root, 'shop/current')), isSwitched(root)]).to.deep.equal([true, false]);
  });

  it("is that of `current` for who stands in a release's own folder, whether or not it is the present one", () => {
    expect(at('shop/releases/1')).to.equal(at('shop/current'));
    expect(at('shop/releases/2/api')).to.equal(at('shop/current/api'));
    rmSync(path.join(root, 'shop/releases/1'), { recursive: true });
    expect(at('shop/releases/2'), 'current points to what was pruned').to.equal(at('shop/current'));
    rmSync(path.join(root, 'shop/current'));
    expect(at('shop/releases/2'), 'no current').to.not.equal(at('shop/current'));
  });

  it('is another one for another folder, and for another name', () => {
    expect(new Set([at('shop/current'), at('blog/current'), at('shop'), at('shop/current', 'api')]).size).to.equal(4);
  });

  it('is the one beside the configuration where that stands already', () => {
    mkdirSync(path.join(root, 'blog/current/.quiesce/my-app'), { recursive: true });
    const folder = path.join(root, 'blog/current');
    const beside = path.join(folder, '.quiesce/my-app');
    expect(dataPlace('my app', folder, env)).to.deep.equal({ dataDir: beside, kind: 'beside' });
  });

  it("follows systemd's StateDirectory, then XDG_STATE_HOME, then the home, and takes none that cannot be written", () => {
    mkdirSync(path.join(root, 'var'));
    const place = (variables: Record<string, string>): string => dataPlace('web', root, variables).dataDir;
    const systemd = { STATE_DIRECTORY: `${path.join(root, 'var')}:/other` };
    expect(place({ ...env, ...systemd })).to.match(new RegExp(`^${root}/var/quiesce/`));
    expect(place({ HOME: root })).to.match(new RegExp(`^${root}/.local/state/quiesce/`));
    expect(place({ HOME: root, XDG_STATE_HOME: 'relative' })).to.match(new RegExp(`^${root}/.local/state/`));
    expect(place({ HOME: root, XDG_STATE_HOME: path.join(root, 'state/x') })).to.match(
      new RegExp(`^${root}/.local/state/`),
    );
    expect(dataPlaces(root, env)).to.have.lengthOf(2);
  });
});

describe('a data directory beside the configuration', () => {
  const warningsOf = async (folder: string, processEnv: Record<string, string>): Promise<string> =>
    (await loadConfig(undefined, { folder, processEnv })).warnings.join('\n');
  let root: string;
  let nowhere: Record<string, string>;

  beforeEach(() => {
    const config = JSON.stringify({ apps: [{ name: 'web', script: 'app.js' }] });
    const app = { 'releases/1/app.js': '', 'releases/1/ecosystem.config.json': config };
    root = realpathSync(scratch({ ...app, file: '' }));
    symlinkSync('releases/1', path.join(root, 'current'));
    nowhere = { HOME: path.join(root, 'file') }; // where no folder can be made
  });

  it('is warned of where there is no other place, and refused where each release has another', async () => {
    const release = path.join(root, 'releases/1');
    rmSync(path.join(root, 'current'));
    expect(await warningsOf(release, nowhere)).to.equal(
      'web: no folder for state can be written to (XDG_STATE_HOME, or .local/state in the home of this user), ' +
        `so the data directory is ${release}/.quiesce/web; where deployments replace it, set QUIESCE_DATA_DIR`,
    );
    symlinkSync('releases/1', path.join(root, 'current'));
    for (const folder of [release, path.join(root, 'current')]) {
      const refused: unknown = await warningsOf(folder, nowhere).catch((error: unknown) => error);
      expect(refused).to.include({ code: 'bad-config' });
      expect((refused as Error).message).to.include(
        `no folder for state can be written to (XDG_STATE_HOME, or .local/state in the home of this user), and ${folder} is another one with each release: set QUIESCE_DATA_DIR`,
      );
      expect(await warningsOf(folder, { ...nowhere, QUIESCE_DATA_DIR: root })).to.equal('');
    }
  });

  it('is warned of where it stands in a release that the next one leaves behind', async () => {
    const current = path.join(root, 'current');
    mkdirSync(path.join(current, '.quiesce/web'), { recursive: true });
    expect(await warningsOf(current, { HOME: root })).to.equal(
      `web: the data directory ${current}/.quiesce/web is left behind by the next release: remove it while the app is stopped, and one outside is used`,
    );
    mkdirSync(path.join(root, 'lasting/.quiesce/web'), { recursive: true });
    for (const name of ['app.js', 'ecosystem.config.json'])
      copyFileSync(path.join(current, name), path.join(root, 'lasting', name));
    expect(await warningsOf(path.join(root, 'lasting'), { HOME: root })).to.equal('');
  });
});

describe('the working folder', () => {
  const before = process.cwd();
  afterEach(() => process.chdir(before));

  it('is called as the shell calls it, unless that is another folder', () => {
    const root = realpathSync(scratch({ 'releases/1/x': '', 'releases/2/x': '' }));
    symlinkSync('releases/1', path.join(root, 'current'));
    process.chdir(path.join(root, 'current'));
    expect(workingFolder({ PWD: path.join(root, 'current') })).to.equal(path.join(root, 'current'));
    for (const PWD of [undefined, '.', '/', path.join(root, 'releases/2'), path.join(root, 'gone')])
      expect(workingFolder({ PWD }), PWD).to.equal(path.join(root, 'releases/1'));
  });
});
