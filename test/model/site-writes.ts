/** What a mirror of the model writes, and what its fence refuses. */
import type { Move } from './explore.ts';
import { change } from './site-operators.ts';
import { isBusy, type Faults, type State } from './site-parts.ts';

interface Writer {
  readonly faults: Faults;
  /** What the primary does at once when something has changed. */
  readonly settle: (state: State) => State;
}

/** A batch, whose transaction asks the fence for epoch and owner. */
export function* batchesOf(
  state: State,
  host: string,
  epoch: number,
  { faults, settle }: Writer,
): Iterable<Move<State>> {
  const { fence, hosts } = state;
  const { member, run } = hosts[host]!;
  const owner = `${host}.${member.ref.incarnation}`;
  const done = change(state, host, { writes: null, run: { ...run!, wants: 'end' } });
  const isOthers = fence.owner !== owner && !faults.fenceWithoutOwner;
  if (epoch < fence.epoch || (epoch === fence.epoch && isOthers)) {
    yield { name: `${host}: its writes are refused`, to: settle(done), fair: `${host} writes` };
    return;
  }
  const busy = Object.keys(hosts).filter((each) => isBusy(hosts[each]!) || hosts[each]!.handler);
  const broken = busy.length > 0 ? `${host} writes beside a handler of ${busy.join(', ')}` : null;
  const written = { fence: { epoch, owner }, broken };
  yield { name: `${host}: writes a batch`, to: { ...state, ...written, isPart: true } };
  const isFinishedByOther = state.isFinishedByOther || (state.isPart && run!.isTakenOver);
  const last = { ...settle(done), ...written, isPart: false, isFinishedByOther };
  yield { name: `${host}: writes the last batch`, to: last, fair: `${host} writes` };
}
