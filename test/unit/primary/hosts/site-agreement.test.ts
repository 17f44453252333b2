import { expect } from 'chai';
import pino from 'pino';
import { newSite } from '#quiesce/cluster/founding.js';
import type { Site } from '#quiesce/cluster/document.js';
import type { AgreementEvent } from '#quiesce/primary/maintenance/agreement.js';
import { initialState } from '#quiesce/primary/maintenance/machine/initial-state.js';
import { SiteAgreement, type SiteAgreementOptions } from '#quiesce/primary/hosts/site-agreement.js';
import { clock, sleepOffset } from '#quiesce/monotonic.js';

const counts = { inserted: 1, updated: 0, deleted: 0, unchanged: 0 };

/** A document in which these runs have ended, each of the host that its name begins with. */
function siteAfter(...runs: string[]): Site {
  const mirrored = runs.map((run) => ({
    run,
    host: run[0]!,
    db: null,
    collection: 'resources',
    scope: null,
    outcome: 'succeeded' as const,
    counts,
  }));
  const now = Date.now();
  const hosts = { A: { incarnation: 'first.1', name: 'web', lease: now + 10_000, rest: 0, version: '1.0.0' } };
  return { ...newSite('one', 0, null), hosts, mirrored };
}

describe('the agreement of a host whose primary is replaced', () => {
  const open: SiteAgreement[] = [];
  afterEach(() => Promise.all(open.splice(0).map(({ host }) => host.leave(false))));

  function agreementOn(
    read: () => Site,
    membership: SiteAgreementOptions['membership'],
  ): {
    agreement: SiteAgreement;
    dispatched: AgreementEvent[];
    told: string[];
  } {
    let version = 10;
    const answer = async (): Promise<{ site: Site; refused: null; now: number }> => ({
      site: { ...read(), version },
      refused: null,
      now: Date.now(),
    });
    const write = (): ReturnType<typeof answer> => {
      version += 1;
      return answer();
    };
    const told: string[] = [];
    const agreement = new SiteAgreement({
      store: {
        apply: write,
        renew: write,
        read: answer,
        peek: answer,
        refound: async () => null,
        watch: (_onSite, signal) =>
          new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
        close: async () => {},
      },
      rules: { lease: 10_000, renewal: 3_000, evictionGrace: 100, margin: 10, onPartition: 'shut' },
      host: 'A',
      name: 'web',
      version: '1.0.0',
      primary: 'first',
      replaces: null,
      membership,
      onEviction: () => {},
      log: pino({ level: 'silent' }),
      past: () => null,
      isShared: () => false,
      outcome: () => null,
      mirrored: ({ run }) => void told.push(run),
      fetch: async () => {},
      forget: () => {},
    });
    open.push(agreement);
    const dispatched: AgreementEvent[] = [];
    agreement.connect(
      (event) => void dispatched.push(event),
      () => {},
    );
    return { agreement, dispatched, told };
  }

  it('opens its gates at once, and tells its workers of feeds that have ended since the handover began', () => {
    const site = siteAfter('B1', 'B2', 'A3');
    const deadline = clock() + 5_000;
    const membership = { incarnation: 'first.1', deadline, sleepOffset: sleepOffset(), site, heard: ['B1'] };
    const { agreement, dispatched, told } = agreementOn(() => site, membership);
    expect(agreement.firstHold, 'its workers are forked shut').to.not.equal(null);
    agreement.start([]);
    expect(dispatched[0]).to.deep.equal({ type: 'site', hold: null, mirrored: ['B2'] });
    expect(told).to.deep.equal(['B2']);
  });

  it('hands over what was heard before the workers of its successor booted', async () => {
    let site = siteAfter('B1');
    const deadline = clock() + 5_000;
    const membership = { incarnation: 'first.1', deadline, sleepOffset: sleepOffset(), site, heard: ['B1'] };
    const { agreement, dispatched } = agreementOn(() => site, membership);
    agreement.start([]);
    agreement.look({ ...initialState(1, null), handingOver: true });
    site = siteAfter('B1', 'B2');
    const handed = await agreement.retire();
    expect(handed.heard).to.deep.equal(['B1']);
    expect(handed.site.mirrored?.map(({ run }) => run)).to.deep.equal(['B1', 'B2']);
    expect(dispatched.at(-1), 'its own workers hear of it').to.deep.include({ mirrored: ['B2'] });
  });
});
