/**
 * The files of docs/recipes.md at work, with the package as npm packs it, and from the page in it; its commands are run
 * by commands.test.ts.
 */
import { expect } from 'chai';
import { once } from 'node:events';
import { chmod, cp, mkdir, readFile, readlink, symlink } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import { filesIn } from '../../../dev/docs/commands.ts';
import { commandIfThere, run } from '../../unit/primary/metrics/command.ts';
import { send } from '../harness/clients/lines.ts';
import { newDatabase, useDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';
import { packInto, Project } from './project.ts';
import { workflowFaults } from './workflow-faults.ts';

describe('the recipes of docs/recipes.md', function () {
  this.timeout(120_000);
  const database = useDatabase();
  const servers: Server[] = [];
  let files: Map<string, string>;
  let project: Project;
  let installed: Project | undefined;
  let page: string;

  before('npm installs the package as it is packed, and what the page in it says', async function () {
    this.timeout(240_000);
    const place = await Project.empty(await newDatabase());
    installed = place;
    const { tarball } = await packInto(place.folder);
    await place.run(`npm init -y && npm install --prefer-offline ${tarball} express`, 120_000);
    page = await readFile(join(place.folder, 'node_modules', 'quiesce', 'docs', 'recipes.md'), 'utf8');
    files = filesIn(page);
    const [install] = /^npm install .*$/m.exec(page)!;
    await place.run(install.replace('npm install', 'npm install --prefer-offline'), 120_000);
  });
  after(() => installed?.close());
  beforeEach('a project with the files of the page', async () => {
    project = await Project.create(database, installed!.folder);
    project.substitute('/srv/shop', project.folder);
    for (const [name, text] of files) await project.write(name, text);
  });
  afterEach('it ended', async () => {
    await project.close();
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  async function serve(answer: RequestListener): Promise<string> {
    const server = createServer(answer);
    servers.push(server);
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('Prometheus: the target of prometheus.yml has the metrics, and promtool takes the file', async function () {
    const text = await readFile(join(project.folder, 'prometheus.yml'), 'utf8');
    const { scrape_configs: scrapes } = parse(text) as {
      scrape_configs: { static_configs: { targets: string[] }[] }[];
    };
    await project.start('npx quiesce start');
    const [target] = scrapes[0]!.static_configs[0]!.targets;
    const { status, text: metrics } = await send(`http://${target}/metrics`);
    expect([status, /^quiesce_info\{.*\} 1$/m.test(metrics)]).to.deep.equal([200, true]);
    const promtool = commandIfThere('promtool');
    if (promtool === null) return this.skip(); // Debian: prometheus
    await cp(join(installed!.folder, 'node_modules/quiesce/docs/alerts.yml'), join(project.folder, 'alerts.yml'));
    const { code, output } = await run(promtool, ['check', 'config', join(project.folder, 'prometheus.yml')]);
    expect(code, output).to.equal(0);
  });

  it('Grafana: the provider is a file provider', () => {
    const { apiVersion, providers } = parse(files.get('grafana-provider.yml')!) as Record<string, unknown>;
    expect(apiVersion).to.equal(1);
    expect(providers).to.have.nested.property('[0].options.path');
  });

  it('OpenTelemetry: a collector gets the spans of a hold and of a mirror run', async () => {
    let got = '';
    const collector = await serve((request, response) => {
      request.setEncoding('utf8').on('data', (chunk: string) => (got += chunk));
      request.on('end', () => response.setHeader('Content-Type', 'application/json').end('{}'));
    });
    project.substitute('127.0.0.1:4318', collector);
    const start = /^export OTEL.*\n.*quiesce start$/m.exec(page);
    await project.start(start![0]);
    await project.run('npx quiesce maintenance on --reason works && npx quiesce maintenance off');
    await project.run('npx quiesce sync feed.json');
    await until('the spans', async () => got.includes('quiesce pause') && got.includes('quiesce sync run'));
    expect(got).to.include('"works"').and.include('"shop"');
  });

  describe('a release', () => {
    let current: string;
    beforeEach('the first one serves', async () => {
      current = join(project.folder, 'current');
      await release('1');
      await symlink('releases/1', current);
      await project.start('cd current && exec npx quiesce start', current);
    });
    const served = async (): Promise<string> => (await send(`${project.url}/release`)).text;

    async function release(name: string, fault = ''): Promise<void> {
      const folder = join('releases', name);
      const app = (await readFile(join(project.folder, 'app.js'), 'utf8')).replace(
        'listen(app',
        `app.get('/release', (req, res) => res.send('${name}'));\n${fault}\nlisten(app`,
      );
      await project.write(join(folder, 'app.js'), app);
      for (const file of ['package.json', 'ecosystem.config.js'])
        await cp(join(project.folder, file), join(project.folder, folder, file));
      await symlink(join(project.folder, 'node_modules'), join(project.folder, folder, 'node_modules'));
    }

    it('is switched to by deploy.sh; one that does not boot is switched back', async () => {
      await release('2');
      await release('3', "throw new Error('not today');");
      await project.run('./deploy.sh 2');
      expect([await served(), await readlink(current)]).to.deep.equal(['2', 'releases/2']);
      const failed: unknown = await project.run('./deploy.sh 3').catch((error: unknown) => error);
      expect(String(failed)).to.match(/code 1[^]*not today/);
      expect([await served(), await readlink(current)]).to.deep.equal(['2', 'releases/2']);
      await project.run('! ./deploy.sh 4');
      expect(await readlink(current)).to.equal('releases/2');
    });

    it('comes from GitHub: the workflow is valid, and what it runs uploads and switches', async () => {
      const content = files.get('deploy.yml')!;
      expect(await workflowFaults(content)).to.deep.equal([]);
      expect(await workflowFaults(content.replace('runs-on', 'runs-in'))).to.not.deep.equal([]);
      const { jobs } = parse(content) as {
        jobs: { deploy: { steps: { run?: string; env?: Record<string, string> }[] } };
      };
      const scripts = jobs.deploy.steps.flatMap(({ run: script }) => script ?? []);
      await release('checkout');
      const bin = join(project.folder, 'node_modules', '.bin');
      await mkdir(join(project.folder, 'home'));
      // Of ssh and rsync, what they do on one machine: the last argument of rsync is the target.
      await project.write('node_modules/.bin/ssh', '#!/bin/sh\nshift 3\nexec "$@"\n');
      await project.write(
        'node_modules/.bin/rsync',
        '#!/bin/sh\nfor target; do :; done\nmkdir -p "${target#*:}" && cp -a ./. "${target#*:}"\n',
      );
      for (const name of ['ssh', 'rsync']) await chmod(join(bin, name), 0o755);
      const env = 'HOME=$PWD/home SERVER=deploy@shop.example SSH_KEY=k KNOWN_HOSTS=h GITHUB_SHA=4f2a';
      const last = scripts.at(-1)!.replaceAll("'", `'\\''`);
      for (const script of scripts.filter((each) => each.startsWith('npx quiesce')))
        await project.run(`cd releases/checkout && ${script}`);
      await project.run(`export ${env}; cd releases/checkout && bash -e -c '${last}'`);
      expect([await served(), await readlink(current)]).to.deep.equal(['checkout', 'releases/4f2a']);
    });
  });

  it('push-feed.sh: sends the feed and prints the report, or the problem', async () => {
    const source = await serve((_request, response) => void response.end('[{"id":"a"},{"id":"b"}]'));
    await project.start('npx quiesce start');
    const output = await project.run(`FEED_URL=http://${source}/feed.json QUIESCE_SYNC_TOKEN=t ./push-feed.sh`);
    expect(output).to.match(/^\{"id":.*"inserted":2/m);
    expect(await database.db.collection('resources').countDocuments()).to.equal(2);
    const failed: unknown = await project
      .run(
        `FEED_URL=http://${source}/feed.json QUIESCE_SYNC_TOKEN=t bash -c "$(sed 's/json. -H/xml'\\'' -H/' push-feed.sh)"`,
      )
      .catch((error: unknown) => error);
    expect(String(failed)).to.match(/code 22[^]*unsupported-media-type/);
  });

  it('systemd: the units are valid', async function () {
    const analyze = commandIfThere('systemd-analyze');
    if (analyze === null) return this.skip();
    const units = ['shop-feed.service', 'shop-feed.timer'].map((name) => join(project.folder, name));
    const { output } = await run(analyze, ['verify', ...units]);
    expect(output.split('\n').filter((line) => line.includes('shop-feed'))).to.deep.equal([]);
    const [, when] = /^OnCalendar=(.*)$/m.exec(files.get('shop-feed.timer')!)!;
    expect(await run(analyze, ['calendar', when!])).to.include({ code: 0 });
  });

  it('are all tried', () => {
    const tried = ['prometheus.yml', 'grafana-provider.yml', 'telemetry.js', 'deploy.sh', 'deploy.yml', 'push-feed.sh'];
    const units = ['shop-feed.service', 'shop-feed.timer', 'crontab'];
    expect([...files.keys()].sort()).to.deep.equal([...tried, ...units].sort());
  });
});
