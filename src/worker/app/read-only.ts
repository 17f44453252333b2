/** Middleware that refuses every request that is not a read. */
import type { RequestHandler } from 'express';
import { refuseMethod } from '../gate/shut/refusal.ts';

/** Lets GET and HEAD through; every other method is answered 405. */
export const readOnly: RequestHandler = (req, res, next) => {
  if (req.method === 'GET' || req.method === 'HEAD') next();
  else refuseMethod(req, res, 'GET, HEAD');
};
