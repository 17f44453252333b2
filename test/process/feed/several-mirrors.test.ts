import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { RunRecord } from '#quiesce/protocol/api/runs.js';
import { quiesce } from '../harness/commands/command.ts';
import { json, send } from '../harness/clients/lines.ts';
import { scrape } from '../harness/scrape.ts';
import { useSharedCluster } from '../harness/clusters/shared-cluster.ts';

const script = fileURLToPath(new URL('../fixtures/two-mirrors-app.js', import.meta.url));

describe('an app with several mirrors', function () {
  this.timeout(60_000);
  const shared = useSharedCluster({ script, instances: 2 });

  it('lists at each the runs of that one, and tells operators which each run was of', async () => {
    const { url, dataDir, folder } = shared.cluster;
    const ids: Record<string, string> = {};
    for (const path of ['products', 'north', 'south']) {
      const put = await send(`${url}/api/${path}`, { method: 'PUT', headers: json, body: `[{"id":"${path}"}]` });
      expect(put.status, put.text).to.equal(204);
      ids[path] = String(put.headers['quiesce-run']);
    }
    for (const path of ['products', 'north', 'south']) {
      const { items } = JSON.parse((await send(`${url}/api/${path}`)).text) as { items: RunRecord[] };
      expect(items.map(({ id }) => id)).to.deep.equal([ids[path]]);
      expect(items[0]).to.not.have.property('scope');
    }
    const { out } = await quiesce(['runs', '--data-dir', dataDir], { cwd: folder });
    expect(out)
      .to.match(/stock tenant=south from PUT \/api\/south/)
      .and.match(/products from PUT \/api\/products/);
    const metrics = await scrape(dataDir);
    for (const tenant of ['north', 'south'])
      expect(metrics).to.match(
        RegExp(
          `^quiesce_mirror_last_end_timestamp_seconds\\{collection="stock",scope="tenant=${tenant}",outcome="succeeded"\\} \\d`,
          'm',
        ),
      );
  });
});
