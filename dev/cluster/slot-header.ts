import type { RequestHandler } from 'express';

/** A test app tells with this header which slot has answered. */
export const slotHeader = 'x-slot';

/** Express middleware. */
export const tellSlot: RequestHandler = (_req, res, next) => {
  res.set(slotHeader, process.env['QUIESCE_SLOT'] ?? '');
  next();
};
