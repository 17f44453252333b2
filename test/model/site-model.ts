/** The properties of hosts around one site document. */
import { isIn } from '#quiesce/cluster/member.js';
import { areAllAtRest, pauseOf } from '#quiesce/cluster/document.js';
import type { Model } from './explore.ts';
import { isBusy, isOpen, keyOf, type Faults, type Settings, type State } from './site-parts.ts';
import { World } from './site-world.ts';

export const promises = {
  alone: 'S1 and S2: an exclusive run is alone',
  rest: 'S1: nothing is at work once all hosts rest',
  whole: 'M2: a half-mirrored collection is not served',
  out: 'S3: who is out of the document is shut',
} as const;
export type Promised = (typeof promises)[keyof typeof promises];

/** Where hosts die for good and no run is at work: a run that is at work when its host dies waits for an operator. */
export function opensAgain({ site: { run }, hosts }: State): boolean {
  if (run?.stage === 'running' && !hosts[run.owner.host]!.isRunning) return true;
  return run === null && Object.values(hosts).every(({ isRunning, gate }) => gate || !isRunning);
}

export function siteModel(name: string, settings: Settings, faults: Faults = {}): Model<State> {
  const names = ['A', 'B', 'C'].slice(0, settings.hosts);
  const mutual = settings.onPartition === 'serve';
  const hasFeeds = settings.kinds.includes('sync');
  const world = new World(names, settings, faults);
  return {
    name,
    initial: [world.initial()],
    moves: (state) => world.moves(state),
    key: (state) => keyOf(state, names),
    always: {
      [promises.alone]: ({ hosts, broken }) => {
        if (broken !== null) return broken;
        const handlers = names.filter((host) => hosts[host]!.handler);
        if (handlers.length > 1) return `exclusive handlers of ${handlers.join(' and ')} at once`;
        const busy = handlers.length === 0 ? [] : names.filter((host) => isBusy(hosts[host]!));
        return busy.length > 0
          ? `a request of ${busy.join(', ')} beside the exclusive handler of ${handlers[0]}`
          : null;
      },
      [promises.rest]: ({ site, hosts }) => {
        if (pauseOf(site) === null || !areAllAtRest(site, site.epoch)) return null;
        const busy = names.filter((host) => isBusy(hosts[host]!));
        return busy.length > 0 ? `a request of ${busy.join(', ')}` : null;
      },
      [promises.whole]: ({ isPart, hosts }) => {
        const open = isPart ? names.filter((host) => isOpen(hosts[host]!) || isBusy(hosts[host]!)) : [];
        return open.length > 0 ? `${open.join(', ')} serves a part` : null;
      },
      [promises.out]: ({ hosts }) => {
        const open = names.filter((host) => hosts[host]!.gate && !isIn(hosts[host]!.member));
        return open.length > 0 ? `${open.join(', ')} is open` : null;
      },
    },
    sometimes: {
      'a run that writes is taken over': ({ site: { run } }) =>
        mutual || !hasFeeds || (run !== null && !run.id.startsWith(run.owner.host)),
      'a host finishes what another began': ({ isFinishedByOther }) => mutual || !hasFeeds || isFinishedByOther,
      'a run is at work': ({ hosts }) => names.some((host) => hosts[host]!.handler || hosts[host]!.writes !== null),
      'all are quiesced': ({ site }) =>
        pauseOf(site) !== null && Object.values(site.hosts).every(({ rest }) => rest === site.epoch),
      'an operator holds all hosts': ({ site }) => site.operator !== null && areAllAtRest(site, site.epoch),
      'a host is evicted': ({ site }) => mutual || names.some((host) => site.hosts[host] === undefined),
      'the run of a silent host is ended by another': ({ site, hosts }) =>
        !mutual ||
        names.some((host) => {
          const { run } = hosts[host]!;
          return (run?.wants === 'drain' || run?.wants === 'begin') && site.run?.id !== run.id;
        }),
      'an evicted host joins anew': ({ site }) =>
        mutual || names.some((host) => site.hosts[host] !== undefined && site.hosts[host].incarnation !== '1.1'),
      'a run waits for a former primary': ({ site, hosts }) =>
        site.run?.stage === 'draining' && names.some((host) => hosts[host]!.former?.busy === true),
      'a successor runs alone': ({ hosts }) =>
        names.some((host) => hosts[host]!.handler || hosts[host]!.writes !== null) &&
        names.some((host) => hosts[host]!.hasReplaced),
    },
  };
}
