import { asSync, problemType, type Example } from './example.ts';

const instance = '/api/sync';

/** Feeds that are refused, with nothing paused and nothing changed. */
export const refusedFeeds: readonly Example[] = [
  {
    name: 'invalid',
    operation: 'putFeed',
    summary: 'An item has no key',
    shown: true,
    headers: asSync,
    body: [{ id: 'a' }, { name: 'b' }],
    answer: {
      status: 422,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:invalid-feed',
        title: 'The feed is invalid',
        status: 422,
        detail: 'The feed is invalid: /1: the key “id” is missing. Nothing was changed.',
        code: 'invalid-feed',
        instance,
        errors: [{ pointer: '/1', detail: 'the key “id” is missing' }],
        errorCount: 1,
      },
    },
  },
  {
    name: 'cutOff',
    operation: 'putFeed',
    summary: 'A line is not whole',
    headers: { ...asSync, 'Content-Type': 'application/x-ndjson' },
    body: '{"id":"a"',
    answer: {
      status: 400,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:malformed-json',
        title: 'The feed is not well-formed JSON',
        status: 400,
        detail: 'The feed is not well-formed: an object that does not end at byte 9.',
        code: 'malformed-json',
        instance,
        position: 9,
      },
    },
  },
  {
    name: 'damaged',
    operation: 'putFeed',
    summary: 'The body is not that of its digest',
    parameters: { 'Content-Digest': 'sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:' },
    headers: asSync,
    body: [],
    answer: {
      status: 400,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:digest-mismatch',
        title: 'The feed does not match its digest',
        status: 400,
        detail:
          'The body has sha-256 T1PNoYwrqgwDVLtfmj7L5e0Sq02OEbqHPC8RFhICuUU=, and Content-Digest says RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=. It was damaged on the way; send it again.',
        code: 'digest-mismatch',
        instance,
      },
    },
  },
  {
    name: 'noToken',
    operation: 'putFeed',
    summary: 'The token is missing',
    headers: { 'Content-Type': 'application/json' },
    body: [],
    answer: {
      status: 401,
      type: problemType,
      headers: { 'WWW-Authenticate': 'Bearer realm="quiesce"' },
      body: {
        type: 'urn:quiesce:problem:unauthorized',
        title: 'A valid token is required',
        status: 401,
        detail: 'This needs the sync token. Send the token as `Authorization: Bearer <token>`.',
        code: 'unauthorized',
        instance,
      },
    },
  },
  {
    name: 'unknownCoding',
    operation: 'putFeed',
    summary: 'A charset that no feed has',
    headers: { ...asSync, 'Content-Type': 'application/json; charset=iso-8859-1' },
    body: [],
    answer: {
      status: 415,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:unsupported-media-type',
        title: 'This media type or coding is not supported',
        status: 415,
        detail:
          'A feed is application/json or application/x-ndjson in UTF-8, not "application/json; charset=iso-8859-1".',
        code: 'unsupported-media-type',
        instance,
      },
    },
  },
  {
    name: 'another',
    operation: 'putFeed',
    summary: 'Another feed is being uploaded',
    during: 'upload',
    headers: asSync,
    body: [],
    answer: {
      status: 409,
      type: problemType,
      headers: { Location: '/api/sync/20261122t031731378-0a397d', 'Retry-After': '1' },
      body: {
        type: 'urn:quiesce:problem:run-in-progress',
        title: 'Another exclusive run is going on',
        status: 409,
        detail:
          'Run 20261122t031731378-0a397d is going on, and only one may run at a time. Try again when it has ended.',
        code: 'run-in-progress',
        instance,
        run: '20261122t031731378-0a397d',
      },
    },
  },
];
