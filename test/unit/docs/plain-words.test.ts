import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { root } from '../../../dev/docs/generated.ts';
import { pages } from '../../../dev/docs/pages.ts';

const sources = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name}`);
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8');

/** Phrases that were in comments, errors and pages, and had to be read twice. */
const riddles = [/\bHere is \$/, /\bgone on with\b/, /\bno one's\b/, /\bis there none\b/, /: it is one\b/];

describe('the words of the project', () => {
  it('begin each file with a sentence on its job', () => {
    const mute = sources.filter((file) => !/^(#!.*\n)?\/\*\*/.test(read(file)));
    expect(sources.length).to.be.above(400);
    expect(mute).to.deep.equal([]);
  });

  it('have none of the phrases that were rewritten', () => {
    const found = [...sources, ...pages].flatMap((file) =>
      read(file)
        .split('\n')
        .flatMap((line, index) =>
          riddles.some((riddle) => riddle.test(line)) ? [`${file}:${index + 1}: ${line}`] : [],
        ),
    );
    expect(found).to.deep.equal([]);
  });
});
