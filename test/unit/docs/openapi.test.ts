import { createConfig, lintFromString } from '@redocly/openapi-core';
import { expect } from 'chai';
import { registry } from '#quiesce/errors.js';
import { routes } from '#quiesce/primary/admin/routes.js';
import { openApi, tags } from '../../../dev/docs/openapi/document.ts';
import { examples } from '../../../dev/docs/openapi/examples/index.ts';
import type { Operation } from '../../../dev/docs/openapi/operation.ts';

const operations = Object.values(tags).flatMap(({ paths }) =>
  Object.values(paths).flatMap((item): Operation[] => Object.values(item)),
);

describe('the description of HTTP', () => {
  it('is what OpenAPI 3.1 asks for', async function () {
    this.timeout(30_000);
    const config = await createConfig({
      extends: ['recommended-strict'],
      // Some of ours have none: they take nothing that could be wrong.
      rules: { 'operation-4xx-response': 'off' },
    });
    const problems = await lintFromString({ source: JSON.stringify(openApi()), absoluteRef: '/openapi.json', config });
    expect(problems.map(({ message, location }) => `${location[0]?.pointer}: ${message}`)).to.deep.equal([]);
  });

  it('finds an example that its schema does not allow', async function () {
    this.timeout(30_000);
    const document = JSON.parse(JSON.stringify(openApi())) as { paths: Record<string, never> };
    const { get } = document.paths['/api/urls'] as unknown as { get: { responses: Record<string, object> } };
    Object.assign(get.responses['200']!, {
      content: { 'application/json': { schema: { type: 'string' }, examples: { wrong: { value: 1 } } } },
    });
    const config = await createConfig({ extends: ['recommended-strict'] });
    const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: '/openapi.json', config });
    expect(problems.map(({ ruleId }) => ruleId)).to.include('no-invalid-media-type-examples');
  });

  it('has every path of the admin interface, and no other', () => {
    const described = Object.entries(tags.admin.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const served = routes.map(([path, method]) => `${method} /api${path.replaceAll(/:(\w+)/g, '{$1}')}`);
    expect(described).to.have.members(['GET /', 'GET /metrics', ...served]);
  });

  it('has every error with a status, but those that no operation answers with', () => {
    const told = [...JSON.stringify(operations).matchAll(/"code":\{"enum":(\[.*?\])\}/g)].flatMap(
      ([, codes]) => JSON.parse(codes!) as string[],
    );
    const withStatus = Object.entries(registry).flatMap(([code, entry]) => ('status' in entry ? [code] : []));
    // A method that a path does not have is no operation, nobody is there to hear of an upload that was aborted, and
    // a primary is replaced by the control socket only.
    const silent = ['method-not-allowed', 'upload-aborted', 'not-replaceable'];
    expect(told).to.include.members(withStatus.filter((code) => !silent.includes(code)));
  });

  it('has examples of every operation, and each of its examples shows', () => {
    expect(examples.map(({ operation }) => operation)).to.include.members(
      operations.map(({ operationId }) => operationId),
    );
    const document = JSON.stringify(openApi());
    for (const { name, operation, summary, answer } of examples) {
      if (answer.body === undefined && answer.headers === undefined) continue;
      expect(document, `${operation}: ${name}`).to.include(`"${name}":{"summary":"${summary}"`);
    }
  });
});
