import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { completionScript } from '#quiesce/cli/completion.js';
import { buildProgram } from '#quiesce/cli/program.js';

const program = buildProgram(() => undefined);

function inBash(...words: string[]): string[] {
  const script = `${completionScript(program, 'bash')}
COMP_WORDS=(quiesce "$@"); COMP_CWORD=$#; _quiesce; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' });
  return out.split('\n').filter((word) => word !== '');
}

describe('completion', () => {
  it('knows the commands, what is below them, what they take, and their flags', () => {
    expect(inBash('st')).to.deep.equal(['start', 'status', 'stop', 'startup']);
    expect(inBash('maintenance', 'o')).to.deep.equal(['on', 'off']);
    expect(inBash('maintenance', 'on', '--f')).to.deep.equal(['--for']);
    expect(inBash('sync', '--dr')).to.deep.equal(['--dry-run']);
    expect(inBash('maintenance', 'status', '--r')).to.deep.equal([]);
    expect(inBash('status', '--w')).to.deep.equal(['--watch']);
    expect(inBash('startup', 's')).to.deep.equal(['systemd']);
    expect(inBash('completion', '')).to.include.members(['bash', 'zsh', 'fish']);
  });

  it('is written for fish, every command with its description', () => {
    const fish = completionScript(program, 'fish');
    for (const command of program.commands) expect(fish).to.include(` -a ${command.name()} -d `);
    expect(fish).to.include(
      "-n '__fish_seen_subcommand_from maintenance; and __fish_seen_subcommand_from on' -l reason",
    );
  });

  it('of zsh is that of bash', () => {
    expect(completionScript(program, 'zsh')).to.include('bashcompinit').and.include('_quiesce()');
  });
});
