import { expect } from 'chai';
import { descriptorsOf, passedSockets } from '#quiesce/keeper/passed-sockets.js';

describe('the sockets that a service manager passes', () => {
  it('are those of this process only, and nothing says so to its children', () => {
    const env = { LISTEN_PID: '7', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:', PORT: '80' };
    const names = passedSockets(env, 7);
    expect(names).to.deep.equal(['web', 'unknown', 'unknown']);
    expect(descriptorsOf(names)).to.deep.equal([3, 4, 5]);
    expect(env).to.deep.equal({ PORT: '80' });
    const others = { LISTEN_PID: '8', LISTEN_FDS: '1' };
    expect(passedSockets(others, 7)).to.deep.equal([]);
    expect(others).to.deep.equal({});
    for (const wrong of ['0', '-1', '1.5', 'x', undefined])
      expect(passedSockets({ LISTEN_PID: '7', LISTEN_FDS: wrong }, 7), wrong).to.deep.equal([]);
    expect(passedSockets({}, 7)).to.deep.equal([]);
  });
});
