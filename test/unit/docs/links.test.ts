import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { root } from '../../../dev/docs/generated.ts';
import { pages } from '../../../dev/docs/pages.ts';

const read = (page: string): string => readFileSync(new URL(page, root), 'utf8');

/** As GitHub makes them of headings. */
function anchors(page: string): string[] {
  const prose = read(page).replaceAll(/^```.*?^```$/gms, '');
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What is wrong with a link of a page. */
function faultOf(page: string, target: string): string | undefined {
  if (/^https?:/.test(target)) return URL.canParse(target) ? undefined : 'is no address';
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : new URL(path, new URL(page, 'file:///')).pathname.slice(1);
  if (!existsSync(new URL(file, root))) return 'leads nowhere';
  if (anchor !== undefined && !anchors(file).includes(anchor)) return 'leads to no heading';
  return undefined;
}

describe('the links of the documentation', () => {
  for (const page of pages) {
    it(`in ${page} lead somewhere`, () => {
      const targets = [...read(page).matchAll(/\]\(([^)\s]+)\)|<(https?:[^>\s]+)>/g)].map(([, a, b]) => a ?? b!);
      const broken = targets.flatMap((target) => {
        const fault = faultOf(page, target);
        return fault === undefined ? [] : [`${target} ${fault}`];
      });
      expect(broken).to.deep.equal([]);
    });
  }

  it('are missed where they are broken', () => {
    expect(faultOf('docs/signals.md', 'nowhere.md')).to.equal('leads nowhere');
    expect(faultOf('docs/signals.md', 'operations.md#nothing')).to.equal('leads to no heading');
    expect(faultOf('docs/signals.md', 'operations.md#run-in-progress')).to.equal(undefined);
    expect(faultOf('README.md', '#nothing')).to.equal('leads to no heading');
  });
});
