import { expect } from 'chai';
import { allowedFrom, isSigned, passCookie } from '#quiesce/worker/gate/shut/pass.js';
import { isDrained, pause, resume, runtime } from '../../fake-primary.ts';
import { get, settle, until, useGatedServer } from '../gated-server.ts';

const secret = { word: 'open-sesame', key: 'the key of this hold' };
const wayIn = { secret };
const since = new Date(0).toISOString();

describe('the signature of a pass', () => {
  const { value } = passCookie(secret);

  it('holds for the key of the hold only', () => {
    expect(isSigned(secret.key, value)).to.equal(true);
    expect(isSigned('the key of the next hold', value), 'of a hold that is over, or of another app').to.equal(false);
  });

  it('does not hold for what is forged or cut off', () => {
    const [id = '', signature = ''] = value.split('.');
    for (const wrong of ['', '.', id, `${id}.`, `.${signature}`, `x${value}`, `${value}x`, `${value}.${signature}`])
      expect(isSigned(secret.key, wrong), wrong).to.equal(false);
    for (let length = 0; length < value.length; length++)
      expect(isSigned(secret.key, value.slice(0, length)), String(length)).to.equal(false);
  });
});

describe('the way in during a hold', () => {
  const { appWith, serve, raw, held, handlerStarted } = useGatedServer();
  afterEach(() => void (runtime().allow = null));
  const cookie = (of = secret): Record<string, string> => {
    const { name, value } = passCookie(of);
    return { Cookie: `theme=dark; ${name}=${value}` };
  };
  const ask = async (port: number, headers: Record<string, string> = {}): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/ok`, { headers })).status;

  it('gives a cookie to whoever opens the link, and lets it pass', async () => {
    const port = await serve(appWith());
    pause({ wayIn });
    const link = await fetch(`http://127.0.0.1:${port}/.quiesce/open-sesame`, { redirect: 'manual' });
    expect([link.status, link.headers.get('location'), link.headers.get('cache-control')]).to.deep.equal([
      303,
      '/',
      'no-store',
    ]);
    const given = link.headers.get('set-cookie') ?? '';
    expect(given).to.match(/^quiesce-pass-[\w-]{8}=[\w-]+\.[\w-]+; HttpOnly; SameSite=Lax; Path=\/$/);
    expect(await ask(port, { Cookie: given.split(';')[0]! })).to.equal(200);
    expect(await ask(port, { 'Quiesce-Pass': 'open-sesame' })).to.equal(200);
    expect(await ask(port)).to.equal(503);
  });

  it('refuses other words and cookies, and repeats none of them', async () => {
    const port = await serve(appWith());
    pause({ wayIn });
    expect(await ask(port, { 'Quiesce-Pass': 'open-sesame-' })).to.equal(503);
    expect(await ask(port, cookie({ ...secret, key: 'another' }))).to.equal(503);
    const wrong = await fetch(`http://127.0.0.1:${port}/.quiesce/wrong-word?a=1`);
    expect(wrong.status).to.equal(503);
    expect(await wrong.json()).to.include({ instance: '/.quiesce/…?a=1' });
  });

  it('is shut for everybody where the primary says of no way in: a run holds the gates', async () => {
    const port = await serve(appWith());
    runtime().allow = allowedFrom(['127.0.0.0/8']);
    pause({
      holds: [
        { kind: 'sync', reason: 'run 1', since },
        { kind: 'operator', reason: '', since },
      ],
    });
    expect(await ask(port, cookie())).to.equal(503);
    const link = await fetch(`http://127.0.0.1:${port}/.quiesce/open-sesame`, { redirect: 'manual' });
    expect(link.status).to.equal(503);
    expect(await link.text()).not.to.include('open-sesame');
  });

  it('counts what has passed: the next pause waits for it', async () => {
    const port = await serve(appWith());
    pause({ wayIn });
    await until(isDrained, 'the drain');
    const running = handlerStarted();
    await raw(port, get('/hold', `Quiesce-Pass: ${secret.word}\r\n`));
    await running;
    pause();
    await settle();
    expect(isDrained()).to.equal(false);
    held[0]!.end();
    await until(isDrained, 'the drain');
    resume();
  });

  it('is open to the addresses that are allowed, by what Express takes for the client', async () => {
    const trusting = await serve(appWith({}, (app) => void app.set('trust proxy', 'loopback')));
    runtime().allow = allowedFrom(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);
    pause({ wayIn: { secret: null } });
    for (const address of ['10.1.2.3', '2001:db8::1', '192.0.2.7', '::ffff:10.1.2.3'])
      expect(await ask(trusting, { 'X-Forwarded-For': address }), address).to.equal(200);
    for (const address of ['11.1.2.3', '2001:db9::1', '192.0.2.8', '10.1.2.3, 11.1.2.3', 'nonsense'])
      expect(await ask(trusting, { 'X-Forwarded-For': address }), address).to.equal(503);
    expect(await ask(trusting)).to.equal(503);
  });

  it('takes no proxy for its clients', async () => {
    const port = await serve(appWith());
    runtime().allow = allowedFrom(['127.0.0.0/8']);
    pause({ wayIn: { secret: null } });
    expect(await ask(port)).to.equal(200);
    for (const name of ['X-Forwarded-For', 'Forwarded'])
      expect(await ask(port, { [name]: '127.0.0.1' }), name).to.equal(503);
  });
});
