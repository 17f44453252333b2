/** What everybody writes with node:cluster: fork, and fork again at each exit. argv: <script> <instances>; RR=1 or 0. */
import cluster from 'node:cluster';

const [, , script, instances] = process.argv;
cluster.schedulingPolicy = process.env['RR'] === '1' ? cluster.SCHED_RR : cluster.SCHED_NONE;
cluster.setupPrimary({ exec: script!, args: [] });
for (let worker = 0; worker < Number(instances); worker++) cluster.fork();
cluster.on('exit', () => cluster.fork());
