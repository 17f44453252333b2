import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { mongo } from '../harness/mongodb/mongo.ts';

describe('the demo', function () {
  this.timeout(120_000);

  it('ends with exit code 0, and all that it claims is true', async () => {
    const { uri } = await mongo();
    const main = fileURLToPath(new URL('../../../dev/demo/main.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [main], {
      env: { ...process.env, MONGODB_URI: uri },
    });
    expect(stdout).to.match(/Every check holds\.\s*$/);
    expect(stdout).to.not.include('✘');
    expect(stdout.match(/✔/g)).to.have.lengthOf(8);

    const [, shown] = /```\n(A feed of .*?)```/s.exec(await readFile('README.md', 'utf8')) ?? [];
    expect(shape(stdout), 'what the README shows').to.include.members(shape(shown ?? 'nothing'));
  });

  /** Its lines, whatever the numbers. */
  function shape(text: string): string[] {
    return text.split('\n').map((line) => line.replaceAll(/[\d.,]+/g, '#'));
  }
});
