/**
 * What the test of the handover explores: a keeper and its primaries with the messages between them on their way, in
 * random orders, with a death of any of them at any time. What was sent to one that has died, or by one that was not heard
 * before its death, is lost.
 */
import { expect } from 'chai';
import type { Build } from '#quiesce/protocol/keeper/messages.js';
import {
  newSite,
  ownerOf,
  step,
  type Effect,
  type Event,
  type Order,
  type Site,
  type Word,
} from '#quiesce/keeper/handover.js';

/** A primary as it sees itself. */
interface Primary {
  readonly id: number;
  readonly build: Build;
  /** It may write to the data directory and pause the site. */
  owns: boolean;
  serves: boolean;
  /** Told to leave, or stopped: nothing new reaches its workers. */
  leaving: boolean;
  alone: boolean;
  former: Set<number>;
  /** The operator hold that it read when it took over, or has acknowledged since. */
  hold: boolean;
  /** Requests whose handlers are at work. */
  atWork: number;
  /** It has told an operator that the site is quiesced. */
  quiesced: boolean;
  run: boolean;
  inbox: Order[];
  outbox: Word[];
}

export const build = (main: string): Build => ({ node: 'node', main, called: null, folder: null });
export const broken = build('broken');
export const steps = [
  'boot',
  'deliver',
  'hear',
  'advance',
  'yield',
  'replace',
  'hold',
  'release',
  'run',
  'end-run',
  'request',
  'finish',
  'pause',
] as const;
export const deaths = ['die', 'due'] as const;
type Step = (typeof steps)[number] | (typeof deaths)[number];

export class World {
  site: Site = newSite(build('1'));
  readonly alive = new Map<number, Primary>();
  /** What is on the disk. */
  readonly disk = { hold: false, owner: 0 };
  acknowledged = false;
  due = true;
  hasServed = false;

  send(event: Event): void {
    const { site, effects } = step(this.site, event);
    this.site = site;
    for (const effect of effects) this.carryOut(effect);
  }

  carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'start': {
        const { id, build, alone, former } = effect;
        this.alive.set(id, {
          id,
          build,
          alone,
          owns: false,
          serves: false,
          leaving: false,
          former: new Set(former),
          hold: false,
          atWork: 0,
          quiesced: false,
          run: false,
          inbox: [],
          outbox: [],
        });
        return;
      }
      case 'tell':
        return void this.alive.get(effect.id)?.inbox.push(effect.order);
      case 'kill':
        return this.die(effect.id);
      case 'wait':
        this.due = true;
        return;
      default:
        effect satisfies never;
    }
  }

  die(id: number): void {
    if (this.alive.delete(id)) this.send({ type: 'gone', id });
  }

  /** Under the lock, whose owner is dead or has yielded. */
  takeOver(primary: Primary): void {
    primary.owns = true;
    this.disk.owner = primary.id;
    primary.hold = this.disk.hold;
    primary.outbox.push({ type: 'serving' });
    primary.serves = true;
    this.hasServed = true;
  }

  perform(what: Step, which: number): void {
    const all = [...this.alive.values()];
    if (what === 'advance') {
      this.perform('due', 0);
      for (const index of all.keys())
        for (const each of ['boot', 'deliver', 'hear'] as const) this.perform(each, index);
      return;
    }
    if (what === 'due') {
      if (this.due) {
        this.due = false;
        this.send({ type: 'due' });
      }
      return;
    }
    const primary = all[which % Math.max(1, all.length)];
    if (primary === undefined) return;
    switch (what) {
      case 'die':
        return this.die(primary.id);
      case 'boot':
        if (primary.owns || primary.leaving || primary.outbox.length > 0) return;
        if (primary.build.main === broken.main) return this.die(primary.id);
        if (primary.alone) this.takeOver(primary);
        else primary.outbox.push({ type: 'prepared' });
        primary.alone = false;
        return;
      case 'deliver': {
        const word = primary.outbox.shift();
        if (word !== undefined) this.send({ type: 'said', id: primary.id, word });
        return;
      }
      case 'hear':
        return this.hear(primary, primary.inbox.shift());
      case 'replace':
        if (primary.owns && !primary.leaving)
          primary.outbox.push({ type: 'replace', build: which % 5 === 0 ? broken : build(String(which)) });
        return;
      case 'hold':
      case 'release':
        if (!primary.owns) return;
        this.disk.hold = primary.hold = this.acknowledged = what === 'hold';
        if (what === 'release') primary.quiesced = false;
        return;
      case 'run':
        if (primary.owns && !yielding.has(primary)) primary.run = true;
        return;
      case 'end-run':
        primary.run = false;
        return this.yield(primary);
      case 'request':
        if (primary.serves && !primary.leaving && !primary.hold) primary.atWork += 1;
        return;
      case 'finish':
        primary.atWork = Math.max(0, primary.atWork - 1);
        if (primary.leaving && primary.atWork === 0) this.die(primary.id);
        return this.yield(primary);
      case 'pause':
        // The gates are shut, and the last handler has ended: its own, and those of the ones before it.
        if (primary.owns && primary.hold && primary.atWork === 0 && primary.former.size === 0) primary.quiesced = true;
        return;
      case 'yield':
        return this.yield(primary);
      default:
        what satisfies never;
    }
  }

  /** Only with no run, and not in the middle of a drain. */
  yield(primary: Primary): void {
    if (!yielding.has(primary) || primary.run || (primary.hold && primary.atWork > 0)) return;
    yielding.delete(primary);
    primary.owns = false;
    primary.outbox.push({ type: 'yielded' });
  }

  hear(primary: Primary, order: Order | undefined): void {
    switch (order?.type) {
      case undefined:
      case 'refused':
      case 'successor-failed':
        return;
      case 'successor-prepared':
        yielding.add(primary);
        return this.yield(primary);
      case 'take':
        primary.former = new Set([...order.former].filter((id) => this.alive.has(id)));
        return this.takeOver(primary);
      case 'former-gone':
        return void primary.former.delete(order.former);
      case 'leave':
      case 'stop':
        primary.leaving = true;
        if (primary.atWork === 0) this.die(primary.id);
        return;
      default:
        order satisfies never;
    }
  }
}

export const yielding = new Set<Primary>();

export function check(world: World): void {
  const all = [...world.alive.values()];
  const owners = all.filter(({ owns }) => owns);
  expect(owners.length, 'owners').to.be.at.most(1);
  expect(world.disk.hold, 'the hold on the disk').to.equal(world.acknowledged);
  for (const { hold } of owners) expect(hold, 'the hold of the owner').to.equal(world.acknowledged);
  // S1: who has been told that the site is at rest was told the truth.
  for (const { quiesced, owns } of owners)
    if (quiesced && owns) expect(all.filter(({ atWork }) => atWork > 0).map(({ id }) => id)).to.deep.equal([]);
  const kept = world.site.primaries.map(({ id }) => id);
  expect(kept, 'whom the keeper knows').to.have.members(all.map(({ id }) => id));
  expect(
    ownerOf(world.site) === undefined && all.length === 0 ? world.due : true,
    'nobody is there, and nobody is to come',
  ).to.equal(true);
}

/** Everything that is under way comes to its end, and nobody dies any more. */
export function settle(world: World): void {
  for (let turn = 0; turn < 400; turn += 1) {
    for (const what of ['due', 'boot', 'deliver', 'hear', 'end-run', 'finish'] as const)
      for (let which = 0; which < Math.max(1, world.alive.size); which += 1) world.perform(what, which);
  }
}
