/** What a client may rely on when it has the answer of an exclusive handler. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { usePlainClusters } from '../harness/clusters/clusters.ts';
import { linesTo, send } from '../harness/clients/lines.ts';

const script = fileURLToPath(new URL('../fixtures/answers.js', import.meta.url));

describe('the answer of an exclusive handler', function () {
  this.timeout(60_000);
  const clusters = usePlainClusters();

  it('comes when every gate is open again, however the handler gives it', async () => {
    const cluster = await clusters.start({ script, instances: 3 });
    const lines = await linesTo(cluster.url, [0, 1, 2]);
    const expected = { json: '{"done":true}', callback: 'done', stream: 'done', throws: 'on purpose' };
    for (let round = 0; round < 12; round++) {
      for (const [name, text] of Object.entries(expected)) {
        const reply = await lines[round % 3]!.send(`/${name}`, { method: 'POST' });
        expect(reply.text, name).to.equal(text);
        expect(reply.status, name).to.equal(name === 'throws' ? 418 : 200);
        const next = await Promise.all(lines.map((line) => line.send('/work')));
        expect(
          next.map(({ status }) => status),
          `after ${name}`,
        ).to.deep.equal([200, 200, 200]);
      }
    }
    // One that answers first and works on: its client is not kept waiting, and the run goes on.
    const over = join(cluster.folder, 'accepted-is-over');
    const accepted = `/accepted?until=${encodeURIComponent(over)}`;
    const began = performance.now();
    expect((await lines[0]!.send(accepted, { method: 'POST' })).status).to.equal(202);
    expect(performance.now() - began).to.be.lessThan(4_000);
    expect((await lines[1]!.send('/work')).status).to.equal(503);
    await writeFile(over, '');
    await cluster.until('it is over', ({ phase }) => phase === 'serving');
    expect((await send(`${cluster.url}/work`)).status).to.equal(200);
    for (const line of lines) line.close();
  });
});
