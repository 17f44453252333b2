/**
 * Every message between a keeper (`quiesce start`) and a primary that it has started: one union each way, validated on
 * arrival. A message about a socket carries its handle.
 */
import * as z from '../../vendor/zod.ts';

const envelope = { keeper: z.literal(1) };

/** The fields by which node:cluster identifies a listening socket. */
export const socketName = z.object({
  address: z.string().nullable(),
  port: z.int(),
  addressType: z.int(),
  flags: z.int(),
});
export type SocketName = z.infer<typeof socketName>;

/** One of several apps of a file, which gets a primary of its own. */
export const launchedApp = z.object({
  name: z.string(),
  /** What the primary is called with after `start`. */
  args: z.array(z.string()),
});
export type LaunchedApp = z.infer<typeof launchedApp>;

/** What a primary is started from: a quiesce and a Node. */
export const build = z.object({
  node: z.string(),
  /** The command's main file, and the name that it was called by: its release may be removed while the site runs. */
  main: z.string(),
  called: z.string().nullable(),
  /** Where it is started, by the name that deployments switch; null: where the keeper was. */
  folder: z.string().nullable(),
});

export type Build = z.infer<typeof build>;

/** A primary that has handed over and still has requests in flight, by the keeper's number of it. */
export const former = z.object({ id: z.int(), pid: z.int() });
export type Former = z.infer<typeof former>;

export const toKeeper = z.discriminatedUnion('type', [
  /** There are several apps: one primary for each, in place of this process. */
  z.object({ ...envelope, type: z.literal('apps'), apps: z.array(launchedApp) }),
  /** Keep this socket, whatever becomes of the primary. */
  z.object({ ...envelope, type: z.literal('keep'), id: z.string(), name: socketName }),
  /** No server listens there any more: close it. */
  z.object({ ...envelope, type: z.literal('close'), id: z.string() }),
  /** Close all of them. Answered with `closed`. */
  z.object({ ...envelope, type: z.literal('close-all') }),
  /** The event loop turns. */
  z.object({ ...envelope, type: z.literal('beat') }),
  /** Every worker serves. */
  z.object({ ...envelope, type: z.literal('ready') }),
  /** The primary is about to end, as planned; with why, where it could not start. The same in each version. */
  z.object({
    ...envelope,
    type: z.literal('ending'),
    error: z.object({ code: z.string(), message: z.string() }).optional(),
  }),
  /** Of the owner: it is to be replaced by another one, which boots beside it. */
  z.object({ ...envelope, type: z.literal('replace'), build }),
  /** Of the owner: not after all. */
  z.object({ ...envelope, type: z.literal('stay') }),
  /** Of one beside the owner: it could take over at once. */
  z.object({ ...envelope, type: z.literal('prepared') }),
  /** Of the owner, as an answer to `successor-prepared`: everything is on the disk, and nothing more will be written. */
  z.object({ ...envelope, type: z.literal('yielded') }),
]);
export type ToKeeper = z.infer<typeof toKeeper>;

export const fromKeeper = z.discriminatedUnion('type', [
  /** A socket of a former primary. */
  z.object({ ...envelope, type: z.literal('socket'), id: z.string(), name: socketName }),
  /**
   * After the last socket. `again`: the site has served before. `beside`: its owner is there, and `take` follows. `former`:
   * who still has requests in flight.
   */
  z.object({
    ...envelope,
    type: z.literal('begin'),
    again: z.boolean(),
    beside: z.boolean().default(false),
    former: z.array(former).default([]),
  }),
  /** After the last socket: the site is yours. */
  z.object({ ...envelope, type: z.literal('take'), former: z.array(former) }),
  z.object({ ...envelope, type: z.literal('former-gone'), former: z.int() }),
  z.object({ ...envelope, type: z.literal('successor-prepared') }),
  /** It has ended without taking over. */
  z.object({
    ...envelope,
    type: z.literal('successor-failed'),
    error: z.object({ code: z.string().nullable(), message: z.string() }),
  }),
  /** Another replacement is going on, or its former primary is still there. */
  z.object({ ...envelope, type: z.literal('refused') }),
  /** The successor serves, with this pid. */
  z.object({ ...envelope, type: z.literal('leave'), pid: z.int().nullable() }),
  /** The keeper got this signal, which is meant for the primary. */
  z.object({ ...envelope, type: z.literal('signal'), signal: z.string() }),
  z.object({ ...envelope, type: z.literal('closed') }),
]);
export type FromKeeper = z.infer<typeof fromKeeper>;

/** What Node listens with; it is not in Node's types. It goes over a channel as it is, and does not start to accept on arrival. */
export interface Handle {
  close(): void;
  getsockname?(address: object): number;
}

export type Outgoing<M> = M extends unknown ? Omit<M, 'keeper'> : never;
