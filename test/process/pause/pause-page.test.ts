import { expect } from 'chai';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '../../../dev/cluster/cluster.ts';
import { usePlainClusters } from '../harness/clusters/clusters.ts';

const script = fileURLToPath(new URL('../fixtures/plain.js', import.meta.url));

describe("the app's own page during a pause", () => {
  const clusters = usePlainClusters();
  const visit = (cluster: Cluster, accept: string): Promise<Response> =>
    fetch(`${cluster.url}/work`, { headers: { Accept: accept } });

  it('is what browsers get, loaded again after a while; a reload reads it anew', async () => {
    const cluster = await clusters.create({ script, instances: 1 });
    const page = join(cluster.folder, 'back-soon.html');
    await writeFile(page, '<h1>Back soon: {{reason}}</h1>');
    await cluster.configure({ maintenance: { page } });
    cluster.launch();
    await cluster.ready();
    await cluster.control.maintenance({ on: true, reason: 'a new <roof>' });
    const answer = await visit(cluster, 'text/html');
    expect(answer.status).to.equal(503);
    expect(await answer.text()).to.equal('<h1>Back soon: a new &lt;roof&gt;</h1>');
    expect(answer.headers.get('refresh')).to.equal(answer.headers.get('retry-after'));
    expect(answer.headers.get('content-security-policy')).to.equal(null);
    const forPrograms = await visit(cluster, 'application/json');
    expect(forPrograms.headers.get('content-type')).to.equal('application/problem+json');
    expect(forPrograms.headers.get('refresh')).to.equal(null);
    await writeFile(page, '<h1>Still at it</h1>');
    await cluster.control.reload();
    expect(await (await visit(cluster, 'text/html')).text()).to.equal('<h1>Still at it</h1>');
  });

  it('is the built-in one where the file has gone since the start', async () => {
    const cluster = await clusters.create({ script, instances: 1 });
    const page = join(cluster.folder, 'back-soon.html');
    await writeFile(page, 'mine');
    await cluster.configure({ maintenance: { page } });
    cluster.launch();
    await cluster.ready();
    await rm(page);
    const refused: unknown = await cluster.control.reload().catch((error: unknown) => error);
    expect(refused).to.be.an('error').with.property('code', 'bad-config');
    // A worker that ends by itself gets a successor all the same.
    const [worker] = (await cluster.status()).workers;
    process.kill(worker!.pid!, 'SIGKILL');
    await cluster.until(
      'its successor serves',
      ({ workers: [next] }) => next?.state === 'serving' && next.incarnation > 1,
    );
    await cluster.control.maintenance({ on: true, reason: 'works' });
    expect(await (await visit(cluster, 'text/html')).text())
      .to.include('Back in a moment')
      .and.include('works');
    expect(cluster.output).to.include('maintenance.page cannot be read');
  });
});
