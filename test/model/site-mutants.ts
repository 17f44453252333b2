/** Faults that somebody could build into the protocol between hosts; each has to break a promise. */
import type { RunKind } from '#quiesce/protocol/words.js';
import { promises, type Promised } from './site-model.ts';
import type { Faults } from './site-parts.ts';

type StepFault = NonNullable<Faults['step']>;

const withOldEpoch: StepFault = (real, site, event, now, rules) => {
  const step = real(site, event, now, rules);
  if (event.type !== 'take-over' || step.refused !== null || step.site === site) return step;
  const hosts = Object.fromEntries(
    Object.entries(step.site.hosts).map(([host, each]) => [host, { ...each, rest: site.epoch }]),
  );
  return { ...step, site: { ...step.site, epoch: site.epoch, hosts, run: { ...step.site.run!, epoch: site.epoch } } };
};

/** The owner first; the epoch, by which the fence tells the two owners apart, with a second write. */
const inTwoWrites: StepFault = (real, site, event, now, rules) => {
  const { run } = site;
  if (event.type !== 'take-over' || run === null) return real(site, event, now, rules);
  const taken = `taken under ${run.epoch}`;
  if (run.owner.name === taken)
    return real({ ...site, run: { ...run, owner: { host: '', incarnation: '', name: '' } } }, event, now, rules);
  const step = real(site, event, now, rules);
  if (step.refused !== null || step.site === site) return step;
  const owner = { ...event.ref, name: taken };
  return { ...step, site: { ...site, version: step.site.version, run: { ...run, owner } } };
};

const withoutProof: StepFault = (real, site, event, now, rules) => {
  if (event.type !== 'begin') return real(site, event, now, rules);
  const hosts = Object.fromEntries(
    Object.entries(site.hosts).map(([host, each]) => [host, { ...each, rest: site.epoch }]),
  );
  const step = real({ ...site, hosts }, event, now, rules);
  return step.refused === null ? { ...step, site: { ...step.site, hosts: site.hosts } } : step;
};

/** The message of a former pause, or of a former incarnation, is taken for one of now. */
const anyRest: StepFault = (real, site, event, now, rules) => {
  const host = event.type === 'rest' ? site.hosts[event.ref.host] : undefined;
  if (event.type !== 'rest' || host === undefined) return real(site, event, now, rules);
  const ref = { ...event.ref, incarnation: host.incarnation };
  return real(site, { ...event, ref, epoch: site.epoch }, now, rules);
};

const releasesWithHost: StepFault = (real, site, event, now, rules) => {
  const step = real(site, event, now, rules);
  if (event.type !== 'evict' || step.refused !== null) return step;
  return step.site.run?.owner.host === event.host ? { ...step, site: { ...step.site, run: null } } : step;
};

export interface Mutant {
  readonly name: string;
  readonly faults: Faults;
  readonly kind: RunKind;
  /** The promise that it breaks, and the only one that is looked at. */
  readonly breaks: Promised;
  /** To be looked for around a handover. */
  readonly handover?: true;
  /** Found by one walk of hundreds: looked for on demand only. */
  readonly isRare?: true;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'releases a command with its host',
    kind: 'exec',
    breaks: promises.alone,
    faults: { step: releasesWithHost },
  },
  {
    name: 'evicts without grace',
    isRare: true,
    kind: 'exclusive',
    breaks: promises.rest,
    faults: {
      step: (real, site, event, now, rules) => real(site, event, now, { ...rules, evictionGrace: 0, margin: -1 }),
    },
  },
  {
    name: 'counts the lease from the answer, not from the sending',
    isRare: true,
    kind: 'exclusive',
    breaks: promises.rest,
    faults: { countsFromAnswer: true },
  },
  {
    name: 'takes a run over under the same epoch, with a fence that asks for the epoch alone',
    isRare: true,
    kind: 'sync',
    breaks: promises.whole,
    faults: { step: withOldEpoch, fenceWithoutOwner: true },
  },
  {
    name: 'takes a run over in two writes, the owner first and then the epoch',
    isRare: true,
    kind: 'sync',
    breaks: promises.whole,
    faults: { step: inTwoWrites, takesOverTwice: true },
  },
  {
    name: 'opens a host that has not read the document which it joins',
    kind: 'exclusive',
    breaks: promises.rest,
    faults: { opensEarly: true },
  },
  { name: 'lets workers outlive the lease', kind: 'exclusive', breaks: promises.rest, faults: { outlives: true } },
  { name: 'tells workers no deadline', kind: 'exclusive', breaks: promises.rest, faults: { knowsNoDeadline: true } },
  {
    name: 'begins a run on an answer that comes after the deadline',
    isRare: true,
    kind: 'exclusive',
    breaks: promises.alone,
    faults: { beginsLate: true },
  },
  {
    name: 'believes an answer that is older than what it has seen',
    isRare: true,
    kind: 'exclusive',
    breaks: promises.rest,
    faults: { believesOld: true },
  },
  {
    name: 'ends a run that it took over before it has the fence',
    isRare: true,
    kind: 'sync',
    breaks: promises.whole,
    faults: { endsUnfenced: true },
  },
  {
    name: 'counts the rest of a former pause or a former incarnation (raft-rs #234)',
    isRare: true,
    kind: 'exclusive',
    breaks: promises.rest,
    faults: { step: anyRest },
  },
  {
    name: 'begins before every host is at rest (kamal-proxy: drained after a timeout)',
    kind: 'exclusive',
    breaks: promises.alone,
    faults: { step: withoutProof, asksUnready: true },
  },
  {
    name: 'reports a host at rest while workers of its former primary are at work',
    kind: 'exclusive',
    breaks: promises.rest,
    handover: true,
    faults: { restsAlone: true },
  },
  {
    name: 'lets a former primary go on as the member beside its successor',
    kind: 'exclusive',
    breaks: promises.rest,
    handover: true,
    faults: { bothAreMember: true },
  },
  {
    name: 'joins while workers of a former primary are at work',
    kind: 'exclusive',
    breaks: promises.rest,
    handover: true,
    faults: { joinsBeside: true },
  },
  {
    name: 'counts the lease from the handover, not from the last renewal',
    kind: 'exclusive',
    breaks: promises.rest,
    handover: true,
    faults: { countsFromHandover: true },
  },
  {
    name: 'hands over what it knew before its last write',
    isRare: true,
    kind: 'exclusive',
    breaks: promises.rest,
    faults: { handsOverOld: true },
  },
  {
    name: 'counts a lease that it has read from when the answer came',
    kind: 'exclusive',
    breaks: promises.rest,
    handover: true,
    faults: { countsFromReading: true },
  },
];
