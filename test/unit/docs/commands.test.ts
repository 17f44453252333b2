import { expect } from 'chai';
import { commandsIn, filesIn, otherShells } from '../../../dev/docs/commands.ts';

const page = `# Page

\`\`\`sh
first
second
\`\`\`

<!-- starts: serve quietly -->

<!-- starts -->
\`\`\`sh
serve
\`\`\`

<!-- not run: needs the moon -->
\`\`\`sh
fly
\`\`\`

<!-- file: a.sh -->
\`\`\`sh
#!/bin/sh
\`\`\`

\`\`\`console
$ hidden
\`\`\`
`;

describe('the commands of a page', () => {
  it('are found with their lines and what is said of them', () => {
    expect(commandsIn(page)).to.deep.equal([
      { line: 4, script: 'first\nsecond\n', starts: false, notRun: null },
      { line: 8, script: 'serve quietly', starts: true, notRun: null },
      { line: 12, script: 'serve\n', starts: true, notRun: null },
      { line: 17, script: 'fly\n', starts: false, notRun: 'needs the moon' },
    ]);
  });

  it('are told from the files', () => {
    expect([...filesIn(page)]).to.deep.equal([['a.sh', '#!/bin/sh\n']]);
  });

  it('cannot hide in blocks of another shell', () => {
    expect(otherShells(page)).to.deep.equal(['console']);
  });
});
