import { expect } from 'chai';
import path from 'node:path';
import { dataPlace } from '#quiesce/config/data-place.js';
import { loadConfig } from '#quiesce/config/load.js';
import { scratchFolders } from '../scratch.js';

const scratch = scratchFolders();

describe('a configuration that says next to nothing', () => {
  it('gets the defaults of PM2 and of quiesce', async () => {
    const folder = scratch({
      'package.json': '{"type":"module"}',
      'app.js': '',
      'ecosystem.config.js': "export const apps = [{ script: 'app.js' }];",
    });
    const { apps, warnings } = await loadConfig(undefined, { folder, processEnv: {} });
    expect(warnings).to.deep.equal([]);
    expect(apps).to.deep.equal([
      {
        name: 'app',
        script: path.join(folder, 'app.js'),
        args: [],
        nodeArgs: [],
        cwd: folder,
        instances: 1,
        env: {},
        maxMemoryRestart: null,
        killTimeout: null,
        listenTimeout: 3000,
        waitReady: false,
        minUptime: 1000,
        maxRestarts: 16,
        restartDelay: 0,
        expBackoffRestartDelay: 0,
        outFile: null,
        errorFile: null,
        mergeLogs: false,
        logDateFormat: null,
        cronRestart: null,
        instanceVar: 'NODE_APP_INSTANCE',
        incrementVar: null,
        dataDir: dataPlace('app', folder, {}).dataDir,
        mongodb: { uri: null, db: null },
        scheduling: 'os',
        notify: [],
        webSocketTimeout: 1_000,
        sync: {
          collection: 'resources',
          key: 'id',
          keep: [],
          deletes: true,
          items: '',
          source: [],
          token: null,
          strategy: 'auto',
          atomic: 'auto',
          maxBytes: 2 ** 30,
          maxDeletes: null,
          uploadTimeout: 300_000,
          databaseTimeout: 60_000,
          conflictTimeout: 5000,
          runTimeout: 1_800_000,
        },
        maintenance: {
          drainTimeout: 30_000,
          onDrainTimeout: 'abort',
          onPause: 'refuse',
          readyGrace: 10_000,
          except: [],
          allow: [],
          page: null,
        },
        heartbeat: { interval: 1000, timeout: 10_000 },
        cluster: { name: null, lease: 30_000, onPartition: 'shut', evictionGrace: 5_000 },
        admin: { host: '127.0.0.1', port: 9615 },
      },
    ]);
  });
});
