/** 405 for a path that is only read. */
import type { RequestHandler } from 'express';
import { QuiesceError } from '../../errors.ts';
import { refuse } from '../refusal.ts';

const allow = 'GET, HEAD';

export const notAllowed: RequestHandler = (req, res) =>
  refuse(req, res, new QuiesceError('method-not-allowed', `Here is ${allow}, not ${req.method}.`), {
    headers: { Allow: allow },
  });
