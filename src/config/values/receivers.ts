/** The setting `quiesce.notify`: the receivers of a message if something goes wrong. */
import * as z from '../../vendor/zod.ts';
import { allowedWords, deadline, kind, oneOf } from './kinds.ts';

export const notifyEvents = [
  'run-failed',
  'run-overdue',
  'fetch-failed',
  'hold-started',
  'hold-ended',
  'hold-expiring',
  'crash-loop',
  'worker-replaced',
  'primary-restarted',
  'primary-replaced',
] as const;
export type NotifyEvent = (typeof notifyEvents)[number];

export const notifyFormats = ['json', 'slack', 'teams'] as const;
export type NotifyFormat = (typeof notifyFormats)[number];

export interface Receiver {
  readonly url: string;
  /** All events if the file names none; `run-overdue` only with `overdue`. */
  readonly events: readonly NotifyEvent[];
  readonly format: NotifyFormat;
  readonly secret: string | null;
  /** After which time a run is overdue, ms. */
  readonly overdue: number | null;
}

const address = kind('an address that begins with http:// or https://, without user and password', (value) => {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === ''
    ? url.href
    : undefined;
});

const secret = kind('text without spaces, of 16 characters at least', (value) =>
  typeof value === 'string' && /^[\x21-\x7e]{16,}$/.test(value) ? value : undefined,
);

const receiver = z
  .strictObject({
    url: address,
    events: z.array(oneOf(...notifyEvents), { error: 'a list of events' }).optional(),
    format: oneOf(...notifyFormats).optional(),
    secret: secret.optional(),
    overdue: deadline.optional(),
  })
  .superRefine(({ events, overdue }, context) => {
    if (events?.includes('run-overdue') && overdue === undefined)
      context.addIssue({ code: 'custom', path: ['overdue'], message: "a time such as '26h', with run-overdue" });
  })
  .transform((given): Receiver => ({
    url: given.url,
    events: given.events ?? notifyEvents.filter((event) => event !== 'run-overdue' || given.overdue !== undefined),
    format: given.format ?? 'json',
    secret: given.secret ?? null,
    overdue: given.overdue ?? null,
  }));

const allowed = `a list of receivers: { url, events: [${notifyEvents.map((event) => `'${event}'`).join(', ')}], format: 'json', 'slack' or 'teams', secret, overdue }`;

export const receivers: z.ZodType<readonly Receiver[]> = z
  .array(receiver, { error: allowed })
  .register(allowedWords, { allowed });

/** Leaves out the path of the address: it often contains the secret that allows writing there. */
export function shownReceiver({ url, format, secret: key }: Receiver): string {
  const { origin, pathname, search } = new URL(url);
  return `${format}${key === null ? '' : ', signed'}, to ${origin}${pathname === '/' && search === '' ? '' : '/…'}`;
}
