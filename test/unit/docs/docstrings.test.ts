import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { mirrorOptions } from '#quiesce/protocol/workers/mirror-job.js';

const index = import.meta.resolve('#quiesce/index.js').replace(/\.js$/, '.d.ts');
const primary = import.meta.resolve('#quiesce/run.js').replace(/\.js$/, '.d.ts');

/** What `quiesce` exports: the name, and the declaration file that it comes from. */
function exported(): Map<string, string> {
  const names = new Map<string, string>();
  for (const [, list, from] of readFileSync(new URL(index), 'utf8').matchAll(
    /export (?:type )?\{([^}]*)\} from '([^']+)'/g,
  )) {
    const file = readFileSync(new URL(from!.replace(/\.ts$/, '.d.ts'), index), 'utf8');
    for (const each of list!.split(',')) names.set(each.replace('type ', '').trim(), file);
  }
  names.delete('');
  return names;
}

/** The members of an interface in a declaration file, with whether each has a docstring. */
function membersOf(file: string, name: string): Map<string, boolean> {
  const [, body = ''] = new RegExp(`export interface ${name}\\b[^{]*\\{\\n(.*?)^\\}`, 'ms').exec(file) ?? [];
  const members = [...body.matchAll(/(\*\/\n)?^ {4}(?:readonly )?(\w+)\??(?:: |[<(])/gm)];
  return new Map(members.map(([, doc, member]) => [member!, doc !== undefined]));
}

describe('the published types', () => {
  const names = exported();

  it('are those of every function and type that is exported', () => {
    expect([...names.keys()]).to.include.members(['gate', 'mirror', 'MirrorOptions', 'onPause', 'SiteState']);
  });

  for (const [name, file] of names) {
    it(`say what ${name} is`, () => {
      const declaration = new RegExp(`\\*/\\nexport (?:declare function|interface|type) ${name}\\b`);
      expect(file).to.match(declaration);
    });
  }

  it('say of every option what it is', () => {
    const interfaces = [...names.keys()].filter((name) => names.get(name)!.includes(`export interface ${name}`));
    expect(interfaces).to.include.members(['GateOptions', 'ExclusiveOptions', 'MirrorOptions', 'SiteState']);
    for (const name of interfaces) {
      const members = membersOf(names.get(name)!, name);
      expect(members.size, name).to.be.above(0);
      expect(
        [...members].filter(([, hasDoc]) => !hasDoc),
        name,
      ).to.deep.equal([]);
    }
  });

  it('say of every option of run() and of the site that it starts what it is', () => {
    const own = readFileSync(new URL(primary), 'utf8');
    const site = readFileSync(new URL('primary/open-site.d.ts', primary), 'utf8');
    const written = readFileSync(new URL('config/settings/written.d.ts', primary), 'utf8');
    expect(own).to.match(/\*\/\nexport interface AppDefinition extends WrittenApp/);
    const declared: [string, string[]][] = [
      [own, ['RunOptions']],
      [written, ['WrittenApp', 'WrittenAdmin']],
      [site, ['ExclusiveOptions', 'ExclusiveRun', 'HoldOptions', 'Site']],
    ];
    for (const [file, interfaces] of declared) {
      for (const name of interfaces) {
        expect(file).to.match(new RegExp(`\\*/\\nexport interface ${name}\\b`));
        const members = membersOf(file, name);
        expect(members.size, name).to.be.above(0);
        expect(
          [...members].filter(([, hasDoc]) => !hasDoc),
          name,
        ).to.deep.equal([]);
      }
    }
  });

  it('have the options of mirror() that the primary gets, those that are for the worker, and its source', () => {
    const own = ['items', 'source', 'transform', 'validate', 'before', 'after'];
    const given = [...membersOf(names.get('MirrorOptions')!, 'MirrorOptions').keys()];
    expect(given).to.have.members([...Object.keys(mirrorOptions.shape), ...own]);
  });
});
