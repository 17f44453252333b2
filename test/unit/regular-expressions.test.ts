import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse, type Literal, type Node } from 'acorn';
import { full } from 'acorn-walk';
import { expect } from 'chai';
import { analyse } from 'scslre';
import { withoutCredentials } from '#quiesce/primary/log/redaction.js';

const dist = fileURLToPath(new URL('../../../dist/', import.meta.url));

interface Found {
  readonly file: string;
  readonly expression: RegExp;
}

/** The regular expressions of a program, those in the vendored files of the page left out. */
function expressionsOf(file: string): Found[] {
  const found: Found[] = [];
  const code = readFileSync(join(dist, file), 'utf8');
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module', allowHashBang: true });
  full(program, (node: Node) => {
    const { regex } = node as Literal;
    if (node.type === 'Literal' && regex) found.push({ file, expression: new RegExp(regex.pattern, regex.flags) });
  });
  return found;
}

/** Foreign text is anything: an operator's, a client's, an app's. So the rule holds for all of them. */
const slow = ({ expression }: Found): boolean =>
  analyse({ source: expression.source, flags: expression.flags }, { reportTypes: { Move: true } }).reports.length > 0;

describe('regular expressions', () => {
  const all = readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.js') && !file.includes('vendor'))
    .flatMap(expressionsOf);

  it('take linear time, each one of them, whatever the text', () => {
    expect(all.length).to.be.above(40);
    expect(all.filter(slow).map(({ file, expression }) => `${file}: ${expression}`)).to.deep.equal([]);
  });

  it('that take longer would be found', () => {
    for (const expression of [/([a-z][a-z0-9+.-]*:\/\/\w*):\w+@/gi, /^(\d*\.?\d+)x$/, /(a+)+$/, /0+$/])
      expect(slow({ file: '', expression }), String(expression)).to.equal(true);
  });

  it('that every line of the log goes through take milliseconds for 64 kB of the worst', () => {
    for (const part of ['a', 'a:', '://', '://a:', '://a:b', '@', 'a@b:']) {
      const line = `${part.repeat(65_536 / part.length)}://`;
      const { user: before } = process.cpuUsage();
      withoutCredentials(line);
      expect((process.cpuUsage().user - before) / 1_000, part).to.be.below(200);
    }
  });
});
