import { expect } from 'chai';
import { Changes, until } from '#quiesce/primary/maintenance/changes.js';

describe('what is waited for', () => {
  it('is looked at again after each change', async () => {
    const changes = new Changes();
    let isSo = false;
    let isOver = false;
    const waited = changes.until(() => isSo).then(() => (isOver = true));
    changes.tell();
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).to.equal(false);
    isSo = true;
    changes.tell();
    await waited;
  });

  it('is waited for until the wait is given up, and no longer', async () => {
    for (const isEarly of [true, false]) {
      const listeners = new Set<() => void>();
      const given = new AbortController();
      if (isEarly) given.abort(new Error('given up'));
      const waited = until(
        () => false,
        (listener) => (listeners.add(listener), () => listeners.delete(listener)),
        given.signal,
      );
      if (!isEarly) given.abort(new Error('given up'));
      expect(await waited.catch(({ message }: Error) => message)).to.equal('given up');
      expect(listeners.size).to.equal(0);
    }
  });
});
