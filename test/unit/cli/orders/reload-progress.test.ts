import { expect } from 'chai';
import { hostsProgressOf, progressOf } from '#quiesce/cli/orders/reload-progress.js';
import type { WorkerState, WorkerStatus } from '#quiesce/protocol/api/runs.js';

function worker(slot: number, incarnation: number, state: WorkerState, inFlight = 0): WorkerStatus {
  const rest = { pid: 1, cpu: 0, memory: 0, eventLoopDelay: 0, restarts: 0, uptime: 0 };
  return { slot, incarnation, state, inFlight, ...rest };
}

describe('the progress of a reload', () => {
  const before = [worker(0, 1, 'serving'), worker(1, 4, 'serving'), worker(2, 1, 'serving')];

  it('counts the slots whose new worker serves, and names the workers that it waits for', () => {
    expect(progressOf(before, [worker(0, 1, 'serving'), worker(0, 2, 'starting'), before[1]!, before[2]!])).to.equal(
      '0 of 3 workers new',
    );
    expect(
      progressOf(before, [worker(0, 2, 'serving'), worker(1, 4, 'stopping', 3), worker(1, 5, 'serving'), before[2]!]),
    ).to.equal('2 of 3 workers new; waiting for worker 1.4 to finish 3 requests');
    expect(progressOf(before, [worker(0, 2, 'quiesced'), worker(2, 1, 'stopping'), worker(2, 2, 'draining')])).to.equal(
      '2 of 2 workers new; waiting for worker 2.1 to end',
    );
  });

  it('of all hosts names the one that is at it', () => {
    const at = (done: number, of: number, host: string): string => hostsProgressOf({ hostsReload: { done, of, host } });
    expect(at(2, 4, 'web-3')).to.equal('2 of 4 hosts done; web-3 is at it');
    expect(at(0, 1, 'web\n1')).to.equal('0 of 1 host done; web\\n1 is at it');
    expect(hostsProgressOf({})).to.equal('');
  });
});
