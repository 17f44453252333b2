/** The limit of time of a whole run of tests, in a mocha of its own. */
import { expect } from 'chai';
import Mocha from 'mocha';
import { mochaHooks } from '../time-limit.ts';

const variable = 'TESTS_UNTIL';
const inSeconds = (seconds: number) => String(Date.now() / 1_000 + seconds);

/** The names of what ran, and the number of tests that were left out. */
async function ran(build: (suite: Mocha.Suite, add: (name: string) => void) => void): Promise<unknown> {
  const mocha = new Mocha({ reporter: class extends Mocha.reporters.Base {}, rootHooks: mochaHooks });
  const names: string[] = [];
  build(mocha.suite, (name) => void names.push(name));
  const pending = await new Promise<number>((resolve) => {
    const runner = mocha.run(() => resolve(runner.stats?.pending ?? -1));
  });
  return { names, pending };
}

describe('a limit of time of a run of tests', () => {
  const own = process.env[variable];
  beforeEach(() => delete process.env[variable]);
  afterEach(() => {
    if (own === undefined) delete process.env[variable];
    else process.env[variable] = own;
  });

  const two = (suite: Mocha.Suite, add: (name: string) => void): void => {
    const file = Mocha.Suite.create(suite, 'a file');
    file.beforeAll(() => add('its cluster'));
    file.addTest(new Mocha.Test('first', () => add('first')));
    file.addTest(new Mocha.Test('second', () => add('second')));
  };

  it('is none where nobody sets it', async () => {
    expect(await ran(two)).to.deep.equal({ names: ['its cluster', 'first', 'second'], pending: 0 });
  });

  it('that is not over leaves nothing out', async () => {
    process.env[variable] = inSeconds(60);
    expect(await ran(two)).to.deep.equal({ names: ['its cluster', 'first', 'second'], pending: 0 });
  });

  it('that is over before a file leaves all of it out, what it prepares as well', async () => {
    process.env[variable] = inSeconds(-1);
    expect(await ran(two)).to.deep.equal({ names: [], pending: 2 });
  });

  it('that is over in the middle of a file leaves out the rest, and fails nothing', async () => {
    process.env[variable] = inSeconds(60);
    const late = (suite: Mocha.Suite, add: (name: string) => void): void =>
      two(suite, (name) => {
        add(name);
        if (name === 'first') process.env[variable] = inSeconds(-1);
      });
    expect(await ran(late)).to.deep.equal({ names: ['its cluster', 'first'], pending: 1 });
  });
});
