/** What the gate alone costs a request: the same objects with and without it, in pairs. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { gate } from '#quiesce/worker/admission.js';
import { getRuntime, provideLocalPrimary } from '#quiesce/worker/runtime.js';
import { publish, show, spread, table } from './report.ts';

provideLocalPrimary(() => (_message, done) => done(null));
getRuntime().gate.resume(0);

const requests = 200_000;
const pairs = 15;
const next = (): void => {};
type Middleware = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

const gated = gate() as unknown as Middleware;
const excepting = gate({ except: ['/livez', /^\/static\//] }) as unknown as Middleware;
const open: Middleware = (_req, _res, done) => done();

/** Nanoseconds of processor time per request: what else the machine does is not counted. */
function round(middleware: Middleware): number {
  const socket = new Socket();
  socket.setMaxListeners(0);
  const before = process.cpuUsage();
  for (let i = 0; i < requests; i++) {
    const req = new IncomingMessage(socket);
    req.url = '/orders/7';
    req.method = 'GET';
    const res = new ServerResponse(req);
    middleware(req, res, next);
    res.end();
    res.emit('close');
  }
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / requests;
}

const rows: [string, number[], number[]][] = [
  ['`gate()`', [], []],
  ['`gate({ except: [a path, a RegExp] })`', [], []],
];
for (const middleware of [open, gated, excepting]) round(middleware); // warm
for (let pair = 0; pair < pairs; pair++) {
  for (const [index, middleware] of [gated, excepting].entries()) {
    const without = round(open);
    const cost = round(middleware);
    rows[index]![1].push(cost - without);
    rows[index]![2].push(cost / without);
  }
}
await publish(
  'gate',
  table(
    [
      'a request through',
      'costs, ns of processor time',
      'as a ratio to making and ending the same request and response without it',
    ],
    rows.map(([name, costs, ratios]) => [name, show(spread(costs), 0), show(spread(ratios))]),
  ),
);
