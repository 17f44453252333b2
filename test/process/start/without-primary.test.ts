/** An app of the library where no quiesce primary is: under somebody else's, or in a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { freePort } from '../../../dev/free-port.ts';
import { runProgram } from '../harness/commands/command.ts';
import { json, problemIn, send, type Message, type Reply } from '../harness/clients/lines.ts';
import { useDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));
const tether = new URL('../../../dev/tether.js', import.meta.url).href;
const put = { method: 'PUT', headers: json, body: '[{"id":"one"}]' };

describe('an app without a quiesce primary', function () {
  this.timeout(60_000);
  const database = useDatabase();
  let child: ChildProcess | undefined;
  let url: string;

  afterEach(async () => {
    const ended = child && once(child, 'exit');
    child?.kill('SIGKILL');
    await ended;
    child = undefined;
  });

  async function serve(script: string, ...args: string[]): Promise<void> {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const { QUIESCE_SYNC_TOKEN: _token, ...inherited } = process.env;
    child = spawn(process.execPath, ['--import', tether, script, ...args], {
      env: { ...inherited, PORT: String(port), HOST: '127.0.0.1', MONGODB_URI: uri() },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    await until('it serves', () =>
      fetch(`${url}/work`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  }

  /** The database of this test, in the connection string: there is no configuration to name it in. */
  function uri(): string {
    const address = new URL(database.uri);
    address.pathname = `/${database.name}`;
    return address.href;
  }

  const ask = (path: string, message: Message = {}): Promise<Reply> => send(url + path, message);
  const keys = (): Promise<unknown[]> => database.db.collection('resources').distinct('_id');

  it("under somebody else's cluster serves, and refuses what would pause one worker of many", async () => {
    await serve(fixture('programs/foreign-primary'), fixture('app'));
    const refused = {
      'PUT /api/sync': ask('/api/sync', put),
      'PUT /api/sync?dryRun=true': ask('/api/sync?dryRun=true', put),
      'GET /api/sync': ask('/api/sync'),
      'POST /alone': ask('/alone', { method: 'POST' }),
    };
    for (const [what, reply] of Object.entries(refused)) {
      const problem = problemIn(await reply);
      expect(problem, what).to.include({ status: 503, code: 'no-primary' });
      expect(problem['detail'], what).to.match(/another supervisor.*`quiesce start`.*fork mode/);
    }
    expect((await ask('/work')).status).to.equal(200);
    expect(await keys()).to.deep.equal([]);
  });

  it('in a process of its own guards that process', async () => {
    await serve(fixture('app'));
    expect((await ask('/api/sync', put)).status).to.equal(204);
    expect(await keys()).to.deep.equal(['one']);
    const alone = ask('/alone?ms=800', { method: 'POST' });
    await until('it is at work', async () => (await ask('/work')).status === 503);
    const refused = problemIn(await ask('/work'));
    expect(refused).to.include({ status: 503, code: 'paused' });
    for (const reply of [await ask('/alone', { method: 'POST' }), await ask('/api/sync', put)])
      expect(problemIn(reply)).to.include({ status: 409, code: 'run-in-progress' });
    expect((await alone).status).to.equal(200);
    await until('it serves again', async () => (await ask('/work')).status === 200);
    const bad = problemIn(await ask('/api/sync', { ...put, body: '[{"id":1},7]' }));
    expect(bad).to.include({ status: 422, code: 'invalid-feed', errorCount: 1 });
    expect(await keys()).to.deep.equal(['one']);
  });

  it('is guarded under supertest, and the test ends by itself', async () => {
    const { code, out, err } = await runProgram(process.execPath, [fixture('supertest-app')], {
      cwd: fileURLToPath(new URL('.', import.meta.url)),
      env: { MONGODB_URI: uri() },
    });
    expect(code, out + err).to.equal(0);
    const { waited, ...told } = JSON.parse(out) as { waited: number };
    expect(told).to.deep.equal({
      before: '200',
      lingering: '200',
      during: ['503 paused', '409 run-in-progress', '409 run-in-progress'],
      first: '200',
      fed: '204',
      bad: '422 invalid-feed',
      runs: 1,
    });
    expect(waited, 'ms from the request that lingers to the exclusive run').to.be.at.least(290);
    expect(await keys()).to.deep.equal([1, 2]);
  });
});
