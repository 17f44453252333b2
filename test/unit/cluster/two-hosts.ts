import { expect } from 'chai';
import type { HostRef, Site, SiteRules } from '#quiesce/cluster/document.js';
import type { SiteEvent } from '#quiesce/cluster/events.js';
import { newSite } from '#quiesce/cluster/founding.js';
import { siteStep } from '#quiesce/cluster/site.js';

export const rules: SiteRules = { lease: 100, evictionGrace: 10, margin: 1, onPartition: 'shut' };
export const a: HostRef = { host: 'A', incarnation: '1' };
export const b: HostRef = { host: 'B', incarnation: '1' };
/** A site document with two hosts. */
export class Document {
  site: Site = newSite('one', 0, null);
  now = 1_000;
  readonly #rules: SiteRules;

  constructor(onPartition: SiteRules['onPartition'] = 'shut') {
    this.#rules = { ...rules, onPartition };
    for (const ref of [a, b]) this.takes({ type: 'join', ref, name: 'web' });
  }

  /** Returns why not, or null. */
  offer(event: SiteEvent): string | null {
    const { site, refused } = siteStep(this.site, event, this.now, this.#rules);
    this.site = site;
    return refused;
  }

  takes(...events: SiteEvent[]): void {
    for (const event of events) expect(this.offer(event), JSON.stringify(event)).to.equal(null);
  }

  rest(...refs: HostRef[]): void {
    for (const ref of refs) this.takes({ type: 'rest', ref, epoch: this.site.epoch });
  }

  /** A command of `quiesce exec` at B has the site. */
  exec(keeps?: { reason: string; by: string | null }): void {
    const run = { ref: b, run: 'x' };
    this.takes({ type: 'claim', kind: 'exec', ...run, ...(keeps && { keeps }) }, { type: 'drain', ...run });
    this.rest(a, b);
    this.takes({ type: 'begin', ...run });
  }

  evictB(): void {
    this.now += 200;
    this.takes({ type: 'renew', ref: a }, { type: 'evict', ...b });
  }
}
