/** A notice is one event that receivers are told. Formats it for each kind of receiver. Pure. */
import * as z from '../../vendor/zod.ts';
import { notifyEvents, type NotifyFormat } from '../../config/values/receivers.ts';

export const notice = z.object({
  /** The same in each attempt, so that a receiver can detect a duplicate. */
  id: z.string(),
  event: z.enum([...notifyEvents, 'test']),
  /** ISO 8601 */
  at: z.string(),
  app: z.string(),
  host: z.string(),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type Notice = z.infer<typeof notice>;

export function bodyOf(told: Notice, format: NotifyFormat): string {
  const { app, host, message } = told;
  const text = `${app} on ${host}: ${message}`;
  switch (format) {
    case 'json':
      return JSON.stringify(told);
    case 'slack':
      return JSON.stringify({ text: escaped(text) });
    case 'teams':
      return JSON.stringify(card(text));
    default:
      return format satisfies never;
  }
}

/** https://docs.slack.dev/messaging/formatting-message-text: unescaped, a reason could mention a whole channel. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** An Adaptive Card, for webhooks of Workflows. A RichTextBlock shows plain text; a TextBlock parses Markdown. */
function card(text: string): object {
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: [{ type: 'RichTextBlock', inlines: [{ type: 'TextRun', text }] }],
  };
  return { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] };
}
