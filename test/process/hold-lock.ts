/** Run as a process of its own: takes the lock of the folder it is given and says what became of it. */
import { acquireLock } from '#quiesce/primary/data-dir/lock.js';
import type { QuiesceError } from '#quiesce/errors.js';

const say = (message: Record<string, unknown>): void => {
  process.send?.(message);
};

try {
  const lock = await acquireLock(
    process.argv[2] ?? '',
    { lost: (reason) => say({ lost: reason }) },
    Number(process.argv[3]),
  );
  say({ held: process.pid });
  process.on('message', (order) => {
    if (order === 'release') void lock.release().then(() => process.disconnect());
    if (order === 'exit') process.exit(0);
  });
} catch (error) {
  const { exitCode, message } = error as QuiesceError;
  say({ refused: message });
  process.exitCode = exitCode;
  process.disconnect();
}
