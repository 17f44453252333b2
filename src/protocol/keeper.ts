/**
 * Every message between a keeper (`quiesce start`) and a primary that it has started: one union each way, validated on
 * arrival. A message about a socket carries its handle.
 */
import { z } from 'zod';

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
  /** The primary is about to end, as planned. */
  z.object({ ...envelope, type: z.literal('ending') }),
]);
export type ToKeeper = z.infer<typeof toKeeper>;

export const fromKeeper = z.discriminatedUnion('type', [
  /** A socket of a former primary. */
  z.object({ ...envelope, type: z.literal('socket'), id: z.string(), name: socketName }),
  /** After the last socket. `again`: the site has served before. */
  z.object({ ...envelope, type: z.literal('begin'), again: z.boolean() }),
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
