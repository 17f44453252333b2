import { expect } from 'chai';
import { readMessage } from '#quiesce/primary/fleet/process/worker-messages.js';

const ref = { slot: 1, incarnation: 4 };
const hello = { quiesce: 1, slot: 1, incarnation: 4, epoch: 0, type: 'hello', pid: 17 };

describe('messages of a worker', () => {
  it('are taken when they are whole and in the name of their process', () => {
    expect(readMessage(hello, ref)).to.deep.equal({ kind: 'ours', message: hello });
  });

  it("are the app's word that it is ready", () => {
    expect(readMessage('ready', ref)).to.deep.equal({ kind: 'app-ready' });
  });

  for (const raw of [null, undefined, 7, 'shutdown', { type: 'process:msg', data: {} }, []]) {
    it(`are the app's own where they carry no mark of ours: ${JSON.stringify(raw)}`, () => {
      expect(readMessage(raw, ref)).to.deep.equal({ kind: 'foreign' });
    });
  }

  it('are dropped when they are malformed', () => {
    for (const raw of [{ ...hello, pid: 'x' }, { ...hello, type: 'boo' }, { ...hello, epoch: -1 }, { quiesce: 2 }]) {
      expect(readMessage(raw, ref)).to.include({ kind: 'dropped' });
    }
  });

  it('are dropped when they are in the name of another slot or incarnation', () => {
    for (const raw of [
      { ...hello, slot: 0 },
      { ...hello, incarnation: 3 },
    ]) {
      const received = readMessage(raw, ref);
      expect(received.kind === 'dropped' && received.why).to.match(/names another worker/);
    }
  });
});
