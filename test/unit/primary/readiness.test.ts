import { expect } from 'chai';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { announcer } from '#quiesce/primary/readiness.js';
import { scratchFolders } from '../scratch.js';

const scratch = scratchFolders();
const log = { warn: () => expect.fail('a warning'), debug: () => undefined };

/** systemd-notify as far as its command line goes: Node cannot receive what the real one sends. */
function fakeNotify(): { env: NodeJS.ProcessEnv; said: () => string[] } {
  const folder = scratch({ 'systemd-notify': `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> "$(dirname "$0")/said"\n` });
  chmodSync(path.join(folder, 'systemd-notify'), 0o755);
  const said = path.join(folder, 'said');
  return {
    env: { PATH: `${folder}:${process.env['PATH']}`, NOTIFY_SOCKET: '/run/notify' },
    said: () => (existsSync(said) ? readFileSync(said, 'utf8').trimEnd().split('\n') : []),
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('readiness', () => {
  it('tells systemd when the workers serve, keeps its watchdog calm, and tells when they stop', async () => {
    const { env, said } = fakeNotify();
    Object.assign(env, { WATCHDOG_USEC: '1000000', WATCHDOG_PID: String(process.pid) });
    const readiness = announcer(log, env);
    expect(env).to.have.all.keys('PATH');
    expect(said()).to.deep.equal([]);
    readiness.ready();
    await until(() => said().filter((line) => line === '/run/notify WATCHDOG=1').length >= 2);
    expect(said()[0]).to.equal(`/run/notify --ready --pid=${process.pid}`);
    readiness.stopping();
    await until(() => said().includes('/run/notify STOPPING=1'));
  });

  it('leaves alone a watchdog that is meant for another process', async () => {
    const { env, said } = fakeNotify();
    Object.assign(env, { WATCHDOG_USEC: '20000', WATCHDOG_PID: '1' });
    const readiness = announcer(log, env);
    readiness.ready();
    await until(() => said().length > 0);
    readiness.stopping();
    await until(() => said().includes('/run/notify STOPPING=1'));
    expect(said().join()).to.not.include('WATCHDOG');
  });

  it('speaks for the keeper, which is what systemd watches, and from its start where the site has served before', async () => {
    const { env, said } = fakeNotify();
    Object.assign(env, { WATCHDOG_USEC: '200000', WATCHDOG_PID: '4711' });
    const told: object[] = [];
    const keeper = { pid: 4711, send: (message: object) => void told.push(message) };
    const readiness = announcer(log, env, { keeper, again: true });
    await until(() => said().includes('/run/notify WATCHDOG=1'));
    readiness.ready();
    await until(() => said().includes('/run/notify --ready --pid=4711'));
    expect(told).to.deep.equal([{ type: 'ready' }]);
    readiness.stopping();
    await until(() => said().includes('/run/notify STOPPING=1'));
  });

  it('runs nothing where nobody asked for it', () => {
    const { env, said } = fakeNotify();
    delete env['NOTIFY_SOCKET'];
    const readiness = announcer(log, env);
    readiness.ready();
    readiness.stopping();
    expect(said()).to.deep.equal([]);
  });
});
