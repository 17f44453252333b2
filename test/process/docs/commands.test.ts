import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { commandsIn, filesIn, otherShells } from '../../../dev/docs/commands.ts';
import { root } from '../../../dev/docs/generated.ts';
import { pages } from '../../../dev/docs/pages.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { Project } from './project.ts';

describe('the commands in', function () {
  this.timeout(90_000);

  for (const page of pages) {
    const markdown = readFileSync(new URL(page, root), 'utf8');
    const commands = commandsIn(markdown).filter(({ notRun }) => notRun === null);

    describe(page, () => {
      let database: TestDatabase | undefined;
      let project: Project | undefined;

      if (commands.length > 0) {
        before('a project', async function () {
          this.timeout(120_000);
          database = await newDatabase();
          project = await Project.create(database);
          for (const [name, text] of filesIn(markdown)) await project.write(name, text);
        });
        after('it ended', async () => {
          await project?.close();
          await discard(database);
        });
      }

      it('are all in blocks of sh', () => expect(otherShells(markdown)).to.deep.equal([]));

      // In the order of the page: each finds what those before it have left.
      for (const { line, script, starts } of commands) {
        const [first = ''] = script.split('\n');
        it(`line ${line} work: ${first}`, () => (starts ? project!.start(script) : project!.run(script)));
      }
    });
  }
});
