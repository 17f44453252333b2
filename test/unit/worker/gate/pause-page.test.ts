import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import { pausePage } from '#quiesce/worker/gate/pause-page.js';

const paused = (...holds: { kind: string; reason: string }[]): ReturnType<QuiesceError['toProblem']> =>
  new QuiesceError('paused', 'Requests are refused (works & <more>).', { extra: { holds } }).toProblem('/');

describe('the page for browsers during a pause', () => {
  it('says why, as text, and loads itself again', () => {
    const page = pausePage(paused(), 7);
    expect(page).to.include('works &amp; &lt;more&gt;').and.include('http-equiv="refresh" content="7"');
    expect(pausePage(paused(), Number.NaN)).to.include('content="5"');
  });

  it("is the app's own, with the operator's reason as text and the wait filled in", () => {
    const own = '<title>{{reason}}</title><p>{{reason}} {{seconds}} {{other}} $& $1';
    const holds = [
      { kind: 'sync', reason: 'run 1' },
      { kind: 'operator', reason: '<b>$& "roof"</b>' },
    ];
    const reason = '&lt;b&gt;$&amp; &quot;roof&quot;&lt;/b&gt;';
    expect(pausePage(paused(...holds), 9, own)).to.equal(`<title>${reason}</title><p>${reason} 9 {{other}} $& $1`);
  });

  it('names no run to a visitor', () => {
    expect(pausePage(paused({ kind: 'sync', reason: 'run 1' }), 9, '[{{reason}}]')).to.equal('[]');
  });
});
