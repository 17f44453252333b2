import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { exitCodes, registry } from '#quiesce/errors.js';
import { root } from '../../../dev/docs/generated.ts';

const page = readFileSync(new URL('docs/operations.md', root), 'utf8');

describe('docs/operations.md', () => {
  it('tells of every error, and of no other, with its HTTP status and exit code', () => {
    const told = [...page.matchAll(/^### (\S+)\n((?:HTTP (\d+), exit (\d+)|Exit (\d+))\. \S.*)$/gm)].map(
      ([, code, , status, exit, exitOnly]) => ({ code, status, exit: exit ?? exitOnly }),
    );
    const registered = Object.entries(registry).map(([code, entry]) => ({
      code,
      status: 'status' in entry ? String(entry.status) : undefined,
      exit: String(entry.exit),
    }));
    expect(told).to.have.deep.members(registered);
  });

  it('tells of every alert, and of no other', () => {
    const rules = readFileSync(new URL('docs/alerts.yml', root), 'utf8');
    const [, section] = /## Alerts\n(.*?)\n## /s.exec(page)!;
    const told = [...section!.matchAll(/^### (\S+)\n\S/gm)].map(([, alert]) => alert);
    expect(told).to.deep.equal([...rules.matchAll(/- alert: (\S+)/g)].map(([, alert]) => alert));
  });

  it('tells of every exit code, and of no other', () => {
    const [, section] = /## Exit codes\n(.*?)\n## /s.exec(page)!;
    const told = [...section!.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(told).to.deep.equal(Object.values(exitCodes));
  });
});
