import { readFileSync } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import { tags } from '../../../dev/docs/openapi/document.ts';
import { adminToken, syncToken, type Example } from '../../../dev/docs/openapi/examples/example.ts';
import { examples } from '../../../dev/docs/openapi/examples/index.ts';
import type { Operation } from '../../../dev/docs/openapi/operation.ts';
import { startCluster, type Cluster } from '../../../dev/cluster/cluster.ts';
import { faultsOf } from '../harness/described.ts';
import { begin, type Begun } from '../harness/clients/lines.ts';
import { discard, newDatabase, type TestDatabase } from '../harness/mongodb/mongo.ts';
import { until } from '../harness/until.ts';

interface Place {
  readonly tag: keyof typeof tags;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

const places = (['app', 'admin'] as const).flatMap((tag) =>
  Object.entries(tags[tag].paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Operation>).map(([method, operation]): Place => ({
      tag,
      method: method.toUpperCase(),
      path,
      operation,
    })),
  ),
);

describe('the examples in the description of HTTP', function () {
  this.timeout(60_000);
  let cluster: Cluster;
  let database: TestDatabase;
  let adminUrl: string;
  /** The runs of this cluster, by the ids that they have in the examples. */
  const runs = new Map<string, string>();

  before('a cluster', async function () {
    this.timeout(120_000);
    database = await newDatabase();
    cluster = await startCluster({
      quiesce: { mongodb: { uri: database.uri, db: database.name }, sync: { token: syncToken } },
    });
    const [, url] = await until('the admin server is up', () => /"url":"(http[^"]+)"/.exec(cluster.output));
    adminUrl = url!;
  });
  after('it ended', async () => {
    await cluster?.close();
    await discard(database);
  });

  // In the order of their list: each finds what those before it have left.
  for (const example of examples) {
    const place = places.find(({ operation }) => operation.operationId === example.operation)!;
    it(`${place.method} ${place.path}: ${example.summary}`, async () => {
      const upload = example.during === 'upload' ? await beginUpload() : undefined;
      const answer = await ask(place, example);
      await upload?.finish();
      expect(answer.status, answer.text).to.equal(example.answer.status);
      expect(faultsOf(answer)).to.deep.equal([]);
      const { type, headers = {}, body } = example.answer;
      const givenType = answer.headers['content-type']?.split(';', 1)[0];
      expect(givenType).to.equal(type);
      for (const [name, value] of Object.entries(headers)) {
        expect(shape(answer.headers[name.toLowerCase()]), name).to.equal(shape(value));
      }
      const given: unknown = givenType?.endsWith('json') ? JSON.parse(answer.text) : answer.text;
      if (body !== undefined || type === undefined) expect(shape(given)).to.deep.equal(shape(body ?? ''));
      const run = headers['Quiesce-Run'];
      if (run !== undefined) runs.set(run, String(answer.headers['quiesce-run']));
      await cluster.until('no run is going on', (status) => status.run?.endedAt !== undefined || status.run === null);
    });
  }

  async function ask({ tag, method, path, operation }: Place, { parameters = {}, headers = {}, body }: Example) {
    const values = new Map(Object.entries(parameters).map(([name, value]) => [name, runs.get(value) ?? value]));
    const of = (where: string): [string, string][] =>
      (operation.parameters ?? []).flatMap(({ name, in: place }) =>
        place === where && values.has(name) ? [[name, values.get(name)!] as [string, string]] : [],
      );
    const filled = of('path').reduce(
      (text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(value)),
      path,
    );
    const query = new URLSearchParams(of('query')).toString();
    const token = readFileSync(join(cluster.dataDir, 'admin.token'), 'utf8').trim();
    const authorization = headers['Authorization']?.replace(adminToken, token);
    const url = `${tag === 'app' ? cluster.url : adminUrl}${filled}${query === '' ? '' : `?${query}`}`;
    const request = http.request(url, {
      method,
      agent: false,
      headers: {
        ...headers,
        ...Object.fromEntries(of('header')),
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
    });
    request.end(typeof body === 'string' || body === undefined ? body : JSON.stringify(body));
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) {
      text += String(chunk);
      // A stream that does not end: its first event is the example.
      if (operation.operationId === 'followCluster' && text.endsWith('\n\n')) break;
    }
    return { method, path: url, status: response.statusCode ?? 0, headers: response.headers, text };
  }

  /** A feed whose end is ours to send. */
  async function beginUpload(): Promise<Begun & { finish(): Promise<unknown> }> {
    const headers = { Authorization: `Bearer ${syncToken}`, 'Content-Type': 'application/json' };
    const begun = begin(`${cluster.url}/api/sync`, { method: 'PUT', headers });
    begun.request.write('[');
    await cluster.until('the other feed is being uploaded', ({ run }) => run?.state === 'uploading');
    return {
      ...begun,
      finish: () => {
        begun.request.end(']');
        return begun.reply;
      },
    };
  }
});

/** What stays the same from one cluster to the next: of numbers, times and runs that they are some. */
function shape(value: unknown): unknown {
  if (typeof value === 'number') return 0;
  if (typeof value === 'string') {
    return (
      value
        .replaceAll(/\d{8}t\d{9}-[0-9a-f]{6}/g, '{run}')
        .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '{time}')
        .replaceAll(/"progress":\{[^}]*\},/g, '')
        .replaceAll(/^id: .*$/gm, 'id: {event}')
        // A hold is answered when it is durable; the drain may just have ended by then.
        .replaceAll('quiesced', 'draining')
        .replaceAll(/\d[\d.]*/g, '0')
    );
  }
  if (Array.isArray(value)) return value.map(shape);
  if (typeof value !== 'object' || value === null) return value;
  // How often the progress of a small feed is told is a matter of luck.
  const { progress: _progress, ...rest } = value as Record<string, unknown>;
  return Object.fromEntries(Object.entries(rest).map(([key, member]) => [key, shape(member)]));
}
