import { expect } from 'chai';
import { pause, resume, runtime, sent, tell } from '../fake-primary.ts';
import { get, settle, useGatedServer } from '../gate/gated-server.ts';

describe('the runtime of a worker', () => {
  const { appWith, serve, raw, handlerStarted } = useGatedServer();
  const info = { holds: [], run: null, retryAfter: 1_000 };
  const beats = (): number => sent.filter(({ type }) => type === 'heartbeat').length;

  it('beats at a new pause that waits for requests, and not when it is told of the same one again', async () => {
    const port = await serve(appWith());
    const running = handlerStarted();
    await raw(port, get('/hold'));
    await running;
    pause();
    resume();
    const before = beats();
    tell({ type: 'pause', info });
    await settle();
    expect(beats()).to.equal(before + 1);
    tell({ type: 'pause', info });
    tell({ type: 'pause', info });
    await settle();
    expect(beats()).to.equal(before + 1);
  });

  it('starts one heartbeat, however often it is welcomed', async () => {
    await runtime().settings;
    const before = beats();
    tell({ type: 'welcome', settings: await runtime().settings });
    await settle();
    expect(beats()).to.equal(before); // one that starts beats at once
  });
});
