import { mock } from 'node:test';
import { expect } from 'chai';
import { Search } from '#quiesce/worker/gate/routes/search.js';

describe('the search for responses that nobody holds', () => {
  let needed: boolean;
  let collections: number;
  let search: Search;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    needed = true;
    collections = 0;
    search = new Search(
      () => needed,
      () => void collections++,
    );
  });
  afterEach(() => mock.timers.reset());

  /** Each second ten clients leave, one after another. */
  function clientsLeave(ms: number): void {
    for (let at = 0; at < ms; at += 100) {
      needed = true;
      search.begin();
      mock.timers.tick(80);
      needed = false;
      search.begin();
      mock.timers.tick(20);
    }
  }

  it('collects ten times in the first minute of a pause at most, however many clients leave', () => {
    clientsLeave(60_000);
    expect(collections).to.be.within(1, 10);
    needed = true;
    search.begin();
    mock.timers.tick(3_600_000);
    expect(collections).to.be.at.most(17);
  });

  it('collects soon in each pause', () => {
    clientsLeave(60_000);
    const before = collections;
    search.reset();
    needed = true;
    search.begin();
    mock.timers.tick(50);
    expect(collections).to.equal(before + 1);
  });
});
