import { expect } from 'chai';
import { QuiesceError } from '#quiesce/errors.js';
import { pausePage } from '#quiesce/worker/gate/shut/pause-page.js';

const paused = (...holds: { kind: string; reason: string }[]): ReturnType<QuiesceError['toProblem']> =>
  new QuiesceError('paused', 'Requests are refused (works & <more>).', { extra: { holds } }).toProblem('/');

describe('the page for browsers during a pause', () => {
  it('says why, as text, and loads itself again', () => {
    const page = pausePage(paused({ kind: 'operator', reason: 'works & <more>' }), 7);
    expect(page).to.include('works &amp; &lt;more&gt;').and.include('http-equiv="refresh" content="7"');
    expect(pausePage(paused(), Number.NaN)).to.include('content="5"');
  });

  it("is the app's own, with the operator's reason as text and the wait filled in; what is not known stays empty", () => {
    const own = '<title>{{reason}}</title><p>{{ reason }} {{seconds}}{{other}} {{until}} $& $1';
    const holds = [
      { kind: 'sync', reason: 'run 1' },
      { kind: 'operator', reason: '<b>$& "roof"</b>' },
    ];
    const reason = '&lt;b&gt;$&amp; &quot;roof&quot;&lt;/b&gt;';
    expect(pausePage(paused(...holds), 9, own, 0)).to.equal(`<title>${reason}</title><p>${reason} 9 00:00 UTC $& $1`);
  });

  it('says the time of day of a long wait, and looks again every minute: the hold may end early', () => {
    const page = pausePage(paused(), 7200, null, Date.UTC(2026, 0, 1, 22, 30));
    expect(page).to.include('back at 00:30 UTC').and.include('content="60"').and.not.include('7200');
  });

  it('names no run to a visitor', () => {
    expect(pausePage(paused({ kind: 'sync', reason: 'run 1' }), 9)).to.not.include('run 1');
    expect(pausePage(paused({ kind: 'sync', reason: 'run 1' }), 9, '[{{reason}}]')).to.equal('[]');
  });
});
