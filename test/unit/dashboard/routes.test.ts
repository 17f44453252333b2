import { expect } from 'chai';
import type { Express } from 'express';
import { readFileSync } from 'node:fs';
import request from 'supertest';
import { dashboard } from '#quiesce/dashboard/routes.js';
import { guardTcp } from '#quiesce/primary/admin/guard.js';
import { adminApp } from '#quiesce/primary/admin/routes.js';
import { FakeCluster } from './fake-cluster.js';

describe("the page's routes", () => {
  let app: Express;
  before(() => {
    const cluster = new FakeCluster();
    const guard = guardTcp({ token: 'a-token-that-is-long-enough', host: '127.0.0.1' });
    app = adminApp(cluster, cluster.live, { guard, more: [dashboard()], onError: () => {} });
  });
  const get = (path: string): request.Test => request(app).get(path).set('Host', '127.0.0.1');

  it('give a page that may load nothing but its own files, and run nothing inline', async () => {
    const { headers, text } = await get('/')
      .expect(200)
      .expect('Content-Type', /^text\/html/);
    const policy = String(headers['content-security-policy']);
    expect(policy)
      .to.include("default-src 'none'")
      .and.include("script-src 'self'")
      .and.include("frame-ancestors 'none'");
    expect(policy).to.not.match(/unsafe|https?:|\*/);
    expect(text).to.not.match(/<style|\sstyle=|\son\w+=|<script(?! type="module" src=")|javascript:|https?:/);
    expect(headers).to.include({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-cache' });
  });

  it('have each file that the page and its scripts name', async () => {
    const asked = new Set<string>();
    const follow = async (path: string): Promise<void> => {
      if (asked.has(path)) return;
      asked.add(path);
      const { text, type } = await get(path).expect(200);
      const named = type.includes('html') ? /(?:href|src)="(\/[^"]+)"/g : /^(?:import|export) .*from '(\.[^']+)';$/gm;
      for (const [, name] of (text ?? '').matchAll(named)) await follow(new URL(name!, `http://host${path}`).pathname);
    };
    await follow('/');
    expect([...asked]).to.include.members([
      '/assets/main.js',
      '/assets/vendor/uPlot.esm.js',
      '/assets/vendor/words.js',
      '/assets/vendor/eventsource-parser.js',
      '/assets/uPlot.min.css',
      '/assets/page.css',
    ]);
    for (const phase of ['serving', 'draining', 'quiesced', 'unknown'])
      await get(`/assets/icon-${phase}.svg`).expect(200);
  });

  it('stand behind the guard, and give nothing outside their folders', async () => {
    await request(app).get('/').set('Host', 'evil.example').expect(403);
    await request(app).get('/assets/main.js').set({ Host: '127.0.0.1', 'Sec-Fetch-Site': 'cross-site' }).expect(403);
    for (const path of ['/assets/../routes.js', '/assets/%2e%2e/routes.js', '/assets/%2e%2e%2froutes.js', '/assets/']) {
      expect((await get(path)).status, path).to.be.within(400, 404);
    }
  });

  it('answer a known file with 304', async () => {
    const { headers } = await get('/assets/page.css');
    await get('/assets/page.css').set('If-None-Match', String(headers['etag'])).expect(304);
  });

  it('hold no file with a colour outside the two schemes', () => {
    const css = readFileSync(new URL(import.meta.resolve('#quiesce/dashboard/static/panels.css')), 'utf8');
    expect(css).to.not.match(/#[0-9a-f]{3,8}\b|rgb|hsl/i);
  });
});
