import { expect } from 'chai';
import { descriptorsOf, passedSockets, type Passed } from '#quiesce/keeper/passed-sockets.js';

const own = 7;
const passed = (env: NodeJS.ProcessEnv, open = 100): Passed => passedSockets(env, own, (fd) => fd < 3 + open);

describe('the sockets that a service manager passes', () => {
  it('are those of this process only, and no variable of them reaches its children', () => {
    const env = { LISTEN_PID: '7', LISTEN_PIDFDID: '9', LISTEN_FDS: '3', LISTEN_FDNAMES: 'web:api:', PORT: '80' };
    const { names, warning } = passed(env);
    expect(names).to.deep.equal(['web', 'api', 'unknown']);
    expect(warning).to.equal(null);
    expect(descriptorsOf(names)).to.deep.equal([3, 4, 5]);
    expect(env).to.deep.equal({ PORT: '80' });
    expect(passed({ LISTEN_PID: '7', LISTEN_FDS: '1' })).to.deep.equal({ names: ['unknown'], warning: null });
    for (const none of [{}, { LISTEN_PID: '7' }, { LISTEN_PID: '8', LISTEN_FDS: '0' }])
      expect(passed(none)).to.deep.equal({ names: [], warning: null });
  });

  it('are named in a warning where they are not used: those of another process, of none, or of no number', () => {
    const others = { LISTEN_PID: '8', LISTEN_FDS: '1' };
    const { names, warning } = passed(others);
    expect(names).to.deep.equal([]);
    expect(warning).to.match(/LISTEN_FDS=1.*for process 8 .*this is process 7.*without npm, npx or a shell/);
    expect(others).to.deep.equal({});
    expect(passed({ LISTEN_FDS: '2' }).warning).to.match(/LISTEN_FDS=2.*no LISTEN_PID/);
    for (const wrong of ['-1', '1.5', '1e3', '0x3', 'x', '1 1']) {
      const unused = passed({ LISTEN_PID: '7', LISTEN_FDS: wrong });
      expect(unused.names, wrong).to.deep.equal([]);
      expect(unused.warning, wrong).to.include(`LISTEN_FDS=${wrong}): that is not a number of sockets`);
    }
  });

  it('are used with a warning where there are more names than sockets, or fewer', () => {
    for (const [LISTEN_FDNAMES, names] of [
      ['web:api', ['web']],
      ['web:api:', ['web']],
    ] as const) {
      const used = passed({ LISTEN_PID: '7', LISTEN_FDS: '1', LISTEN_FDNAMES });
      expect(used.names).to.deep.equal(names);
      expect(used.warning).to.match(/LISTEN_FDNAMES \([23]\) is not that .* LISTEN_FDS \(1\)/);
    }
    const fewer = passed({ LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'web' });
    expect(fewer.names).to.deep.equal(['web', 'unknown']);
    expect(fewer.warning).to.match(/LISTEN_FDNAMES \(1\) is not that .* LISTEN_FDS \(2\)/);
  });

  it('are refused where a descriptor is not an open socket, however many are said to come', () => {
    for (const count of ['2', '1000000000'])
      expect(() => passed({ LISTEN_PID: '7', LISTEN_FDS: count }, 1))
        .to.throw(
          `it passes ${count} sockets (LISTEN_FDS), from descriptor 3 on, and descriptor 4 is not an open socket`,
        )
        .with.property('code', 'bad-usage');
  });

  it('are looked at in the process itself', () => {
    // Descriptors of this process: its standard streams come before, and so many it has never.
    expect(() => passedSockets({ LISTEN_PID: '7', LISTEN_FDS: '100000' }, own)).to.throw(/is not an open socket/);
  });
});
