/**
 * The script that the primary forks: makes the process a worker, then runs the app's script as if Node had been started
 * with it.
 *
 * argv: node boot.js <script> [args of the app]
 */
import Module from 'node:module';
import { gateHttp2Without, gateServersWithout } from '../gate/auto-gate.ts';
import { warnOfUngated } from '../gate/routes/start-warnings.ts';
import { trackServers } from './connections.ts';
import { stopGracefully } from './graceful-stop.ts';
import { reportFailures } from './failure-report.ts';
import { listenWhenAllowed } from './may-listen.ts';
import { getRuntime } from './runtime.ts';
import { ignoreGroupSignals } from './signals.ts';
import { writeStdioToTheEnd } from './stdio.ts';

ignoreGroupSignals();
writeStdioToTheEnd();
const runtime = getRuntime();
gateServersWithout(runtime);
trackServers((server) => {
  gateHttp2Without(runtime, server);
  warnOfUngated(server);
}, listenWhenAllowed(runtime.link));
reportFailures(runtime.link);
runtime.onStop = (grace) => {
  stopGracefully(
    grace,
    () => runtime.gate.countUnfinished(),
    (answering) => runtime.link.send({ type: 'answering', epoch: runtime.gate.epoch, answering }),
  );
  runtime.gate.dismiss(); // after the connections have been marked as closing
};

process.argv.splice(1, 1);
// Node's own way to run a main script: `require.main`, ESM, CommonJS and TypeScript work as in this Node version.
(Module as unknown as { runMain(): void }).runMain();
