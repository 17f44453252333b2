/** The commands that the documentation shows, its blocks of `sh` in their order, and its files. */

export interface Commands {
  /** Of its first line in the page. */
  readonly line: number;
  readonly script: string;
  /** Stays in the foreground: what follows on the page needs it. */
  readonly starts: boolean;
  /** Why nothing runs it. */
  readonly notRun: string | null;
}

/**
 * A comment right above a block may say `starts`, or `not run:` and why. `starts:` and a command, in a comment of its own,
 * is what a reader has running already. A block under `file:` and a name is a file, not a command.
 */
export function commandsIn(markdown: string): Commands[] {
  const found = markdown.matchAll(
    /^<!-- starts: ([^\n]+) -->$|(?:^<!-- (starts|not run: [^\n]+|file: \S+) -->\n)?^```sh\n(.*?)^```$/gms,
  );
  const commands = [...found].filter(([, , mark]) => mark?.startsWith('file: ') !== true);
  return commands.map((match) => {
    const [whole, running, mark, script = ''] = match;
    const fence = whole.indexOf('```sh');
    const before = markdown.slice(0, match.index + Math.max(0, fence));
    return {
      line: before.split('\n').length + (fence === -1 ? 0 : 1),
      script: running ?? script,
      starts: running !== undefined || mark === 'starts',
      notRun: mark?.startsWith('not run: ') ? mark.slice('not run: '.length) : null,
    };
  });
}

/** Languages of blocks in which a command could hide from those who run them. */
export function otherShells(markdown: string): string[] {
  return [...markdown.matchAll(/^```(bash|shell|console|zsh|shellsession)$/gm)].map(([, language]) => language!);
}

/** The files that a page shows, by their names: the blocks under a comment `file:` and a name. */
export function filesIn(markdown: string): Map<string, string> {
  const found = markdown.matchAll(/^<!-- file: (\S+) -->\n```\w*\n(.*?)^```$/gms);
  return new Map([...found].map(([, name, text]) => [name!, text!]));
}
