import { expect } from 'chai';
import { explore, randomFrom, tell, walk, type Exploration } from './explore.ts';
import { opensAgain, siteModel } from './site-model.ts';
import { mutants } from './site-mutants.ts';
import { budget, none, weigh, weighHandover } from './site-walks.ts';

/** More on demand: `npm run model`. */
const walks = Number(process.env['QUIESCE_WALKS'] ?? 150);
const states = Number(process.env['QUIESCE_STATES'] ?? 30_000);
const seed = Number(process.env['QUIESCE_SEED'] ?? 1);

function report(found: Exploration): string {
  const { model, states: seen, depth, seconds, complete } = found;
  return `${model}: ${seen} states, ${depth} deep, ${seconds.toFixed(1)} s${complete ? '' : ', not all'}`;
}

describe('hosts around one site document', function () {
  this.timeout(20 * 60_000);

  for (const hosts of [2, 3]) {
    for (const kind of ['exclusive', 'sync', 'exec'] as const) {
      it(`${hosts} hosts keep the promises of one, on random walks with runs that are ${kind} (seed ${seed})`, () => {
        const name = `${hosts} hosts, ${kind}`;
        const model = siteModel(name, { hosts, kinds: [kind], left: budget });
        const found = walk(model, { walks, length: 220 }, randomFrom(seed), weigh);
        expect(found.violation === null ? '' : tell({ model: name, violation: found.violation })).to.equal('');
        expect(found.missing, 'never reached').to.deep.equal([]);
      });
    }
  }

  it('every interleaving of two hosts, as far as there is time', () => {
    const left = { ...none, claims: 1, stops: 1, late: 1, ticks: 5 };
    for (const kind of ['exclusive', 'sync', 'exec'] as const) {
      const found = explore(siteModel(`2 hosts, ${kind}`, { hosts: 2, kinds: [kind], left }), { states });
      if (process.env['QUIESCE_STATES']) console.log(`      ${report(found)}`);
      expect(found.violation === null ? '' : tell(found)).to.equal('');
    }
  });

  it('every interleaving with a primary that is replaced, as far as there is time', () => {
    for (const left of [
      { ...none, claims: 1, handovers: 1, ticks: 3 },
      { ...none, claims: 1, handovers: 1, deaths: 1, late: 1, ticks: 1 },
    ]) {
      const found = explore(siteModel('2 hosts, a handover', { hosts: 2, kinds: ['exclusive'], left }), { states });
      if (process.env['QUIESCE_STATES']) console.log(`      ${report(found)}`);
      expect(found.violation === null ? '' : tell(found)).to.equal('');
    }
  });

  it(`two hosts keep the promises around handovers, on random walks (seed ${seed})`, () => {
    for (const kind of ['exclusive', 'sync'] as const) {
      const name = `2 hosts, ${kind}, handovers`;
      const model = siteModel(name, { hosts: 2, kinds: [kind], left: budget });
      const found = walk(model, { walks, length: 220 }, randomFrom(seed), weighHandover);
      expect(found.violation === null ? '' : tell({ model: name, violation: found.violation })).to.equal('');
    }
  });

  it('where nobody shuts for his lease, nobody is evicted, and the promises hold as well', () => {
    const model = siteModel('2 hosts', { hosts: 2, kinds: ['exclusive', 'sync'], left: budget, onPartition: 'serve' });
    const found = walk(model, { walks, length: 220 }, randomFrom(seed), weigh);
    expect(found.violation === null ? '' : tell({ model: '2 hosts', violation: found.violation })).to.equal('');
    expect(found.missing, 'never reached').to.deep.equal([]);
  });

  for (const kind of ['exclusive', 'sync', 'exec'] as const) {
    it(`where nobody is evicted, the gates open again whoever dies before his run (${kind}) is at work`, () => {
      const left = { ...none, claims: 1, stops: 1, ticks: Infinity };
      const settings = { hosts: 2, kinds: [kind], left, onPartition: 'serve', dies: true } as const;
      const model = { ...siteModel('2 hosts', settings), eventually: { 'the gates are open': opensAgain } };
      const found = explore(model);
      if (process.env['QUIESCE_STATES']) console.log(`      ${report(found)}`);
      expect(found.violation === null ? '' : tell(found)).to.equal('');
      expect(found.complete).to.equal(true);
    });
  }

  for (const { name, faults, kind, isRare, handover, breaks } of mutants) {
    it(`finds a protocol that ${name}`, function () {
      if (isRare && process.env['QUIESCE_WALKS'] === undefined) return this.skip();
      const model = siteModel(name, { hosts: 2, kinds: [kind], left: budget }, faults);
      const always = { [breaks]: model.always[breaks]! };
      const bounds = { walks: Math.max(400, walks), length: 220 };
      const found = walk({ ...model, always }, bounds, randomFrom(seed), handover ? weighHandover : weigh);
      expect(found.violation?.property).to.equal(breaks);
    });
  }
});
