/** `quiesce notify test`: sends a test to all receivers. */
import { ControlClient } from '../control-client.ts';
import { findDataDir, type Target } from '../find-data-dir.ts';
import { print, say } from '../output.ts';
import { exitCodes } from '../../errors.ts';
import { visible } from '../../protocol/visible.ts';

/** The running primary sends the test, so that its network and its configuration are tested. */
export async function notifyTest(options: Target): Promise<number> {
  const { receivers } = await new ControlClient(await findDataDir(options)).notifyTest();
  if (receivers.length === 0) {
    say('No receiver is configured, so nobody is told. Name one in quiesce.notify, then run `quiesce reload`.');
    return exitCodes.failed;
  }
  for (const { receiver, delivered, answer } of receivers)
    print(visible(`${delivered ? 'delivered' : 'failed'}: ${receiver}: ${answer}`));
  return receivers.every(({ delivered }) => delivered) ? exitCodes.done : exitCodes.failed;
}
