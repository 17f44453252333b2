import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ClusterStatus } from '#quiesce/protocol/api/runs.js';
import { scratchFolders } from '../../unit/scratch.ts';
import { useSharedPlainCluster } from '../harness/clusters/shared-cluster.ts';
import { until } from '../harness/until.ts';

const app = fileURLToPath(new URL('../fixtures/app.js', import.meta.url));
const quiesce = fileURLToPath(import.meta.resolve('#quiesce/cli/main.js'));

/** Writes down which signals it gets, and ends at the first, a moment later. */
const migration = `
  const { appendFileSync, writeFileSync } = require('node:fs');
  for (const [signal, code] of [['SIGINT', 130], ['SIGHUP', 129]])
    process.on(signal, () => {
      appendFileSync('signals', signal + ' ');
      setTimeout(() => process.exit(code), 500);
    });
  writeFileSync('begun', '');
  setInterval(() => {}, 1e6);
`;

describe('quiesce exec on a terminal', function () {
  this.timeout(60_000);
  const shared = useSharedPlainCluster({ script: app, instances: 1 });
  const scratch = scratchFolders();
  const terminals: ChildProcess[] = [];
  afterEach('no terminal is left', () => {
    for (const terminal of terminals.splice(0)) terminal.kill('SIGKILL');
  });

  /** A terminal of script(1): what is written to its input is typed. */
  function terminal(folder: string, after = ''): ChildProcess {
    writeFileSync(join(folder, 'migration.cjs'), migration);
    const words = [process.execPath, quiesce, 'exec', '--data-dir', shared.cluster.dataDir];
    const line = `${[...words, '--', process.execPath, 'migration.cjs'].join(' ')}${after}`;
    const child = spawn('script', ['-qec', line, '/dev/null'], {
      cwd: folder,
      env: { ...process.env, SHELL: '/bin/sh' },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    terminals.push(child);
    return child;
  }
  const begun = (folder: string): Promise<boolean> =>
    until('the command is at work', () => existsSync(join(folder, 'begun')));
  const signalsOf = (folder: string): string => readFileSync(join(folder, 'signals'), 'utf8').trim();

  it('gives Ctrl-C to its command once, and ends with 130', async () => {
    const folder = scratch();
    const typed = terminal(folder);
    await begun(folder);
    typed.stdin!.write('\x03');
    const [code] = (await once(typed, 'exit')) as [number];
    expect([code, signalsOf(folder)]).to.deep.equal([130, 'SIGINT']);
    await shared.cluster.until('it serves', ({ phase }) => phase === 'serving');
  });

  it('begins nothing where Ctrl-C comes while it waits for requests, and the site serves', async () => {
    const folder = scratch();
    const slow = fetch(`${shared.cluster.url}/straggle?until=${encodeURIComponent(join(folder, 'go'))}`);
    await shared.cluster.until('it is in flight', ({ workers }) => workers[0]!.inFlight === 1);
    const typed = terminal(folder);
    await shared.cluster.until('it drains', ({ phase }) => phase === 'draining');
    typed.stdin!.write('\x03');
    const [code] = (await once(typed, 'exit')) as [number];
    expect(code).to.equal(130);
    await shared.cluster.until('it serves', ({ phase }) => phase === 'serving');
    expect(existsSync(join(folder, 'begun'))).to.equal(false);
    writeFileSync(join(folder, 'go'), '');
    expect((await slow).status).to.equal(200);
  });

  it('tells its command once that the terminal has hung up, and waits for it', async () => {
    // As the leader of the session, as under `ssh -t host quiesce exec …`; and under a shell that is the leader.
    for (const after of ['', '; true']) {
      const folder = scratch();
      const gone = terminal(folder, after);
      await begun(folder);
      gone.kill('SIGKILL');
      await until('the command is told', () => existsSync(join(folder, 'signals')));
      const isOver = ({ phase, run }: ClusterStatus): boolean => phase === 'serving' && run?.state === 'failed';
      const { run } = await shared.cluster.until('it serves, and the run has failed', isOver);
      expect(run!.kind).to.equal('exec');
      expect(signalsOf(folder), after).to.equal('SIGHUP');
    }
  });
});
