import { expect } from 'chai';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { root } from '../../../dev/docs/generated.ts';

const files = readdirSync(new URL('test/', root), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.test.ts'),
);
const reliability = readFileSync(new URL('docs/reliability.md', root), 'utf8');
const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
  scripts: Record<string, string>;
};

/** The patterns of a script for mocha, as expressions for names below `test`. */
function patternsOf(script: string): RegExp[] {
  return [...scripts[script]!.matchAll(/'build\/test\/([^']+)\.js'/g)].map(([, glob]) => {
    const expression = glob!
      .replaceAll('.', '\\.')
      .replace(/!\(([^)]+)\)/g, '(?!(?:$1)/)[^/]+')
      .replaceAll('**/', '(?:.+/)?')
      .replace(/(?<![)+])\*/g, '[^/]*');
    return new RegExp(`^${expression}\\.ts$`);
  });
}

function timesFound(file: string, ...names: string[]): number {
  return names.flatMap(patternsOf).filter((pattern) => pattern.test(file)).length;
}

describe('the files of the tests', () => {
  it('are each found once by npm test, or by test:hosts or test:browser', () => {
    const inTest = (file: string): number => timesFound(file, 'test:unit', 'test:process');
    const isBeside = (file: string): boolean => /^(process\/hosts|browser)\//.test(file);
    expect(files.filter((file) => inTest(file) !== (isBeside(file) ? 0 : 1))).to.deep.equal([]);
    const beside = files.filter(isBeside);
    expect(beside.filter((file) => timesFound(file, 'test:hosts', 'test:browser') !== 1)).to.deep.equal([]);
    expect(beside).to.not.have.length(0);
    expect(files.filter((file) => file.startsWith('process/'))).to.have.length.above(60);
  });

  it('are those that docs/reliability.md names', () => {
    const named = reliability.matchAll(/`([\w/.-]+\.test\.ts)`/g);
    const names = new Set([...named].map(([, name]) => name!));
    expect(names.size).to.be.above(80);
    expect([...names].filter((name) => !files.some((file) => `/${file}`.endsWith(`/${name}`)))).to.deep.equal([]);
  });

  it('are, of the unit tests, in the folder of what they test', () => {
    const folders = new Set(files.filter((file) => file.startsWith('unit/')).map((file) => dirname(file).slice(5)));
    const beside = ['docs', ''];
    const nowhere = [...folders].filter(
      (folder) => !beside.includes(folder) && !existsSync(new URL(`src/${folder}`, root)),
    );
    expect(nowhere).to.deep.equal([]);
  });

  it('are named by one row of docs/reliability.md for each fault', () => {
    const faults = reliability.split('\n').flatMap((line) => /^\| ([^|]+) \|/.exec(line)?.[1] ?? []);
    const words = faults.filter((fault) => !/^(-+|fault)$/i.test(fault));
    expect(words.length).to.be.above(100);
    expect(words.filter((fault, index) => words.indexOf(fault) !== index)).to.deep.equal([]);
  });
});
