import { expect } from 'chai';
import { Listening } from '#quiesce/primary/fleet/addresses/listening.js';
import { HeldEvents } from '#quiesce/primary/fleet/held-events.js';
import type { FromWorker } from '#quiesce/protocol/workers/messages.js';

const [first, second] = [
  { slot: 0, incarnation: 1 },
  { slot: 1, incarnation: 1 },
];
const slots = () => [{ incarnations: [first] }, { incarnations: [second] }];
const address = { address: '127.0.0.1', port: 80, addressType: 4 } as never;
const envelope = { quiesce: 1, ...first, epoch: 0 } as const;
const mayListen: FromWorker = { ...envelope, type: 'request', id: 1, body: { op: 'may-listen' } };

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return Promise.race([promise.then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
}

describe('workers beside those of another primary', () => {
  it('are prepared when each slot has asked to listen, and serve when each listens', async () => {
    const listening = new Listening(true);
    expect(listening.variables).to.deep.equal({ QUIESCE_WAITS: '1' });
    const prepared = listening.prepared(slots);
    expect(listening.asks(first, mayListen)).to.equal(true);
    expect(await isSettled(prepared)).to.equal(false);
    listening.asks(second, mayListen);
    expect(await isSettled(prepared)).to.equal(true);
    const serve = listening.take(slots, false, 1_000);
    expect(listening.variables).to.deep.equal({ QUIESCE_WAITS: undefined });
    listening.listens(first, address);
    expect(await isSettled(serve)).to.equal(false);
    listening.listens(second, address);
    await serve;
    expect(listening.urls()).to.deep.equal(['http://127.0.0.1:80']);
  });

  it('serve, where the app says when it is ready, when it has said so and listens', async () => {
    const listening = new Listening(true);
    for (const ref of [first, second]) {
      listening.asks(ref, mayListen);
      listening.says(ref);
    }
    const serve = listening.take(slots, true, 1_000);
    listening.listens(first, address);
    expect(await isSettled(serve)).to.equal(false);
    listening.listens(second, address);
    await serve;
  });

  it('that do not listen in time are told of', async () => {
    const late = new Listening(true).take(slots, false, 10);
    expect(await late.catch((error: unknown) => (error as { code: string }).code)).to.equal('boot-failed');
  });

  it('are heard by whoever decides about gates from the fork on, in order, and welcomed before', async () => {
    const welcomed: unknown[] = [];
    const heard: string[] = [];
    const events = new HeldEvents((ref) => welcomed.push(ref));
    events.forked(first);
    events.message(first, { ...envelope, type: 'hello', pid: 7 });
    events.message(first, { ...envelope, type: 'heartbeat', beat: {} as never });
    events.message(first, mayListen);
    expect(welcomed).to.deep.equal([first]);
    const receiver = {
      forked: () => void heard.push('forked'),
      message: (_ref: unknown, { type }: FromWorker) => void heard.push(type),
      gone: () => void heard.push('gone'),
    };
    events.release(receiver, () => undefined);
    events.gone(first, { cause: 'planned', code: 0, signal: null });
    expect(heard).to.deep.equal(['forked', 'hello', 'request', 'gone']);
    expect(welcomed).to.have.lengthOf(1);
  });

  it('fail the handover with the reason of the first one that ends', async () => {
    const events = new HeldEvents(() => {});
    events.gone(first, { cause: 'boot-failure', code: 1, signal: null, reason: 'no such module' });
    const error = await events.failed.catch((thrown: unknown) => thrown as Error);
    expect(error.message).to.include('no such module');
  });
});
