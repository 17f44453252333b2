import { expect } from 'chai';
import { bodyOf, type Notice } from '#quiesce/primary/notify/notice.js';

const told: Notice = {
  id: 'n1',
  event: 'hold-started',
  at: '2026-01-02T03:04:05.000Z',
  app: 'shop',
  host: 'web1',
  message: 'ops holds the site: <!channel> & [click](http://evil)',
  details: { since: '2026-01-02T03:04:05.000Z' },
};

describe('a notice', () => {
  it('is itself as JSON', () => {
    expect(JSON.parse(bodyOf(told, 'json'))).to.deep.equal(told);
  });

  it('is a text for Slack that mentions nobody', () => {
    expect(JSON.parse(bodyOf(told, 'slack'))).to.deep.equal({
      text: 'shop on web1: ops holds the site: &lt;!channel&gt; &amp; [click](http://evil)',
    });
  });

  it('is a card for Teams whose text is no Markdown', () => {
    const { type, attachments } = JSON.parse(bodyOf(told, 'teams')) as {
      type: string;
      attachments: { contentType: string; content: { type: string; body: unknown[] } }[];
    };
    expect(type).to.equal('message');
    expect(attachments[0]!.contentType).to.equal('application/vnd.microsoft.card.adaptive');
    expect(attachments[0]!.content.type).to.equal('AdaptiveCard');
    expect(attachments[0]!.content.body).to.deep.equal([
      { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: `shop on web1: ${told.message}` }] },
    ]);
  });
});
