import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import pino from 'pino';
import { QuiesceError, type ErrorCode } from '#quiesce/errors.js';
import { HandOver, type Left } from '#quiesce/primary/handover/hand-over.js';
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import type { State } from '#quiesce/primary/maintenance/machine/state.js';

const build = { node: 'node', main: 'main.js', called: null, folder: null };

/** The owner of a site, with what it has said to its keeper and what was done. */
class Owner {
  state: State = initialState(1, null);
  readonly did: string[] = [];
  reloading = false;
  unwritable: QuiesceError | null = null;
  yielded: () => void = () => {};
  readonly handOver = new HandOver({
    link: { send: ({ type }) => void this.did.push(type) },
    whyNot: () => null,
    coordinator: {
      state: this.state,
      handOver: (begun) => this.set({ handingOver: begun }),
    },
    hasDryRun: () => false,
    isReloading: () => this.reloading,
    isWaitedFor: () => false,
    waitingFor: () => '',
    yield: async () => {
      this.yielded();
      await delay(1);
      if (this.unwritable !== null) throw this.unwritable;
      this.did.push('gave up the lock');
    },
    leave: async () => {
      this.did.push('left');
      return ['1 worker had to be killed'];
    },
    log: pino({ level: 'silent' }),
  });

  set(change: Partial<State>): void {
    Object.assign(this.state, change);
  }

  begin(wait = false, signal = new AbortController().signal): Promise<Left> {
    return this.handOver.begin({ build, wait }, signal);
  }

  async until(what: string): Promise<void> {
    for (let turn = 0; !this.did.includes(what); turn += 1) {
      expect(turn, `${what}: ${this.did.join()}`).to.be.below(500);
      await delay(2);
    }
  }
}

async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | null> {
  return promise.then(
    () => null,
    (error: unknown) => (error as QuiesceError).code,
  );
}

const run = { id: 'run-1' } as State['run'];

describe('a primary that is to be replaced', () => {
  it('yields when its successor is prepared, and leaves when that serves', async () => {
    const owner = new Owner();
    const replaced = owner.begin();
    await owner.until('replace');
    expect(owner.state.handingOver, 'no run begins').to.equal(true);
    owner.handOver.mustOwn();
    owner.handOver.order({ keeper: 1, type: 'successor-prepared' });
    await owner.until('yielded');
    expect(() => owner.handOver.mustOwn())
      .to.throw(QuiesceError)
      .with.property('code', 'stopping');
    owner.handOver.order({ keeper: 1, type: 'leave', pid: 7 });
    const { pid, over } = await replaced;
    expect([pid, await over]).to.deep.equal([7, ['1 worker had to be killed']]);
    expect(owner.did).to.deep.equal(['replace', 'gave up the lock', 'yielded', 'left']);
  });

  it('stays while a run goes on, or waits for that', async () => {
    const owner = new Owner();
    owner.set({ run });
    expect(await codeOf(owner.begin())).to.equal('run-in-progress');
    expect(owner.did).to.deep.equal([]);
    const replaced = owner.begin(true);
    await delay(30);
    expect(owner.did, 'no successor is started beside a run').to.deep.equal([]);
    expect(await codeOf(owner.begin())).to.equal('not-replaceable');
    owner.set({ run: null });
    await owner.until('replace');
    owner.handOver.cancel();
    expect(await codeOf(replaced)).to.equal('stopping');
  });

  it('waits for a reload, and no reload begins once its successor may have read the configuration', async () => {
    const owner = new Owner();
    owner.reloading = true;
    const replaced = owner.begin();
    await delay(30);
    expect(owner.did, 'no successor is started beside a reload').to.deep.equal([]);
    owner.handOver.mayReload();
    owner.reloading = false;
    await owner.until('replace');
    expect(() => owner.handOver.mayReload())
      .to.throw(QuiesceError)
      .with.property('code', 'stopping');
    owner.handOver.order({ keeper: 1, type: 'successor-failed', error: { code: 'bad-config', message: 'wrong' } });
    expect(await codeOf(replaced)).to.equal('bad-config');
    owner.handOver.mayReload();
  });

  it('stays, and takes runs again, where the successor fails, its caller has gone, or it cannot write its state', async () => {
    const owner = new Owner();
    const failing = owner.begin();
    await owner.until('replace');
    const error = { code: 'bad-config', message: 'it is wrong' };
    owner.handOver.order({ keeper: 1, type: 'successor-failed', error });
    expect(await codeOf(failing)).to.equal('bad-config');
    expect(owner.state.handingOver).to.equal(false);

    const gone = new AbortController();
    const forgotten = owner.begin(false, gone.signal);
    gone.abort();
    expect(await codeOf(forgotten)).to.equal('not-replaceable');

    owner.unwritable = new QuiesceError('insufficient-storage', 'the disk is full');
    owner.did.length = 0;
    const full = owner.begin();
    await owner.until('replace');
    owner.handOver.order({ keeper: 1, type: 'successor-prepared' });
    expect(await codeOf(full)).to.equal('insufficient-storage');
    owner.handOver.mustOwn();
    expect(owner.did).to.deep.equal(['replace', 'stay']);
  });

  it('takes no order from the moment on when its state is written', async () => {
    const owner = new Owner();
    let code: string | null = null;
    owner.yielded = () => {
      try {
        owner.handOver.mustOwn();
      } catch (error) {
        ({ code } = error as QuiesceError);
      }
    };
    void owner.begin();
    await owner.until('replace');
    owner.set({ phase: 'draining' });
    owner.handOver.order({ keeper: 1, type: 'successor-prepared' });
    await delay(40);
    expect(code, 'while requests are drained').to.equal(null);
    owner.set({ phase: 'quiesced' });
    await owner.until('yielded');
    expect(code).to.equal('stopping');
  });

  it('notices that its successor has died while it waits for a drain', async () => {
    const owner = new Owner();
    const replaced = owner.begin();
    await owner.until('replace');
    owner.set({ phase: 'draining' });
    owner.handOver.order({ keeper: 1, type: 'successor-prepared' });
    await delay(30);
    const error = { code: null, message: 'it ended with SIGKILL' };
    owner.handOver.order({ keeper: 1, type: 'successor-failed', error });
    expect(await codeOf(replaced)).to.equal('boot-failed');
  });
});
