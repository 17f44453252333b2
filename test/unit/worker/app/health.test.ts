import { expect } from 'chai';
import type { Express } from 'express';
import { health, whyNotReady } from '#quiesce/worker/app/health.js';
import { pause } from '../fake-primary.ts';
import { useGatedServer } from '../gate/gated-server.ts';

describe('health()', () => {
  const { appWith, serve } = useGatedServer();

  it('serves /livez and /readyz, also behind a gate that is shut, and nothing else', async () => {
    const port = await serve(appWith({}, (app: Express) => app.use(health())));
    const status = async (path: string, method = 'GET'): Promise<number> =>
      (await fetch(`http://127.0.0.1:${port}${path}`, { method })).status;
    expect([await status('/livez'), await status('/readyz'), await status('/other')]).to.deep.equal([200, 200, 404]);
    expect(await status('/livez', 'POST')).to.equal(405);
    pause();
    expect([await status('/livez'), await status('/readyz'), await status('/other')]).to.deep.equal([200, 503, 503]);
  });

  it('is not ready before it has heard from its primary, while it stops, and when it has lost its primary', () => {
    const info = { holds: [], run: null, retryAfter: 0 };
    const code = (state: 'starting' | 'open' | 'shut' | 'lost', stopping = false): string | null =>
      whyNotReady({ gate: { state, info, shutFor: 1 }, stopping }, 10)?.code ?? null;
    expect([code('open'), code('shut'), code('starting'), code('lost')]).to.deep.equal([
      null,
      null,
      'paused',
      'no-primary',
    ]);
    expect([code('open', true), code('starting', true), code('lost', true)]).to.deep.equal([
      'stopping',
      'stopping',
      'no-primary',
    ]);
  });
});
