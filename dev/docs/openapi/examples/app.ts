import { asSync, problemType, type Example } from './example.ts';
import { firstRecord, firstRun, hold, secondRecord, secondReport, secondRun, thirdRun } from './values.ts';

const json = 'application/json';
const text = 'text/plain';

/** While an operator holds the cluster. */
export const whileHeld: readonly Example[] = [
  {
    name: 'held',
    operation: 'listResources',
    summary: 'An operator holds the cluster',
    shown: true,
    answer: {
      status: 503,
      type: problemType,
      headers: { 'Retry-After': '600' },
      body: {
        type: 'urn:quiesce:problem:paused',
        title: 'Paused for maintenance',
        status: 503,
        detail: 'Requests are refused while maintenance is going on (moving house). Try again in 600 s.',
        code: 'paused',
        instance: '/api/resources',
        holds: [hold],
      },
    },
  },
  {
    name: 'held',
    operation: 'readyz',
    summary: 'An operator holds the cluster',
    answer: {
      status: 503,
      type: problemType,
      headers: { 'Retry-After': '600' },
      body: {
        type: 'urn:quiesce:problem:paused',
        title: 'Paused for maintenance',
        status: 503,
        detail: 'An operator holds the site: moving house',
        code: 'paused',
        instance: '/readyz',
      },
    },
  },
  {
    name: 'alive',
    operation: 'livez',
    summary: 'It answers, so it is alive',
    answer: { status: 200, type: text, body: 'ok\n' },
  },
];

export const feeds: readonly Example[] = [
  {
    name: 'ready',
    operation: 'readyz',
    summary: 'It serves',
    answer: { status: 200, type: text, body: 'ready\n' },
  },
  {
    name: 'first',
    operation: 'putFeed',
    summary: 'A feed',
    headers: asSync,
    body: [
      { id: 'a', size: 1 },
      { id: 'b', size: 2 },
    ],
    answer: {
      status: 204,
      headers: { 'Quiesce-Run': firstRun, 'Quiesce-Counts': 'inserted=2, updated=0, deleted=0, unchanged=0' },
    },
  },
  {
    name: 'one',
    operation: 'listRuns',
    summary: 'There has been one run',
    answer: { status: 200, type: json, body: { items: [firstRecord] } },
  },
  {
    name: 'ended',
    operation: 'getRun',
    summary: 'A run that has succeeded',
    parameters: { id: firstRun },
    answer: { status: 200, type: json, body: firstRecord },
  },
  {
    name: 'unknown',
    operation: 'getRun',
    summary: 'There is no such run',
    parameters: { id: 'nothing' },
    answer: {
      status: 404,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:not-found',
        title: 'Not found',
        status: 404,
        detail: 'There is no run nothing. GET the list for those that are known.',
        code: 'not-found',
        instance: '/api/sync/nothing',
      },
    },
  },
  {
    name: 'representation',
    operation: 'putFeed',
    summary: 'The next feed, and its report is wanted',
    parameters: { Prefer: 'return=representation' },
    headers: asSync,
    body: [
      { id: 'a', size: 1 },
      { id: 'b', size: 3 },
      { id: 'c', size: 4 },
    ],
    answer: {
      status: 200,
      type: json,
      headers: {
        'Quiesce-Run': secondRun,
        'Quiesce-Counts': 'inserted=1, updated=1, deleted=0, unchanged=1',
        'Preference-Applied': 'return=representation',
      },
      body: secondReport,
    },
  },
  {
    name: 'live',
    operation: 'getRun',
    summary: 'As a stream; of a run that has ended, the last event',
    parameters: { id: secondRun },
    headers: { Accept: 'text/event-stream' },
    answer: {
      status: 200,
      type: 'text/event-stream',
      body: `id: 1\nevent: run\ndata: ${JSON.stringify(secondRecord)}\n\n`,
    },
  },
];

export const moreFeeds: readonly Example[] = [
  {
    name: 'async',
    operation: 'putFeed',
    summary: 'Nobody wants to wait',
    parameters: { Prefer: 'respond-async' },
    headers: asSync,
    body: [{ id: 'a', size: 1 }],
    answer: {
      status: 202,
      headers: {
        'Quiesce-Run': thirdRun,
        Location: `/api/sync/${thirdRun}`,
        'Preference-Applied': 'respond-async',
      },
    },
  },
  {
    name: 'dryRun',
    operation: 'putFeed',
    summary: 'What would change?',
    parameters: { dryRun: 'true' },
    headers: asSync,
    body: [{ id: 'a', size: 1 }, { id: 'd' }],
    answer: {
      status: 200,
      type: json,
      body: {
        feed: { items: 2, bytes: 32, digest: 'sha-256=:k+Z9VElfEoNmAZiSKClYyhZjhgVb51CfaYe7E1Lin6A=:' },
        counts: { inserted: 1, updated: 0, deleted: 0, unchanged: 1 },
        timings: { upload: 3.7, prepare: 42.2, scan: 2.4, total: 81.2 },
      },
    },
  },
  {
    name: 'lines',
    operation: 'putFeed',
    summary: 'A feed of lines',
    headers: { ...asSync, 'Content-Type': 'application/x-ndjson' },
    body: '{"id":1}\n{"id":"1"}\n',
    answer: {
      status: 204,
      headers: {
        'Quiesce-Run': '20261122t031601378-4f397d',
        'Quiesce-Counts': 'inserted=2, updated=0, deleted=1, unchanged=0',
      },
    },
  },
];

const etag = 'W/"8-h5EdGu1QmHe4OkjsU292jNzSLfE"';

/** What the last of the feeds left. */
export const resources: readonly Example[] = [
  {
    name: 'firstPage',
    operation: 'listResources',
    summary: 'The first page',
    parameters: { limit: '1' },
    answer: {
      status: 200,
      type: json,
      headers: { ETag: 'W/"1f-IDuye2OVaQfuTriehEHZG5n1vb8"' },
      body: { items: [{ id: 1 }], next: '1' },
    },
  },
  {
    name: 'lastPage',
    operation: 'listResources',
    summary: 'The page after it, which is the last',
    parameters: { limit: '1', after: '1' },
    answer: {
      status: 200,
      type: json,
      headers: { ETag: 'W/"22-NGaGD2MNf7abZa0K4L1DEQepVjs"' },
      body: { items: [{ id: '1' }], next: null },
    },
  },
  {
    name: 'number',
    operation: 'getResource',
    summary: 'The key is a number',
    parameters: { key: '1' },
    answer: { status: 200, type: json, headers: { ETag: etag }, body: { id: 1 } },
  },
  {
    name: 'text',
    operation: 'getResource',
    summary: 'The key is a text that reads as a number',
    parameters: { key: '"1"' },
    answer: {
      status: 200,
      type: json,
      headers: { ETag: 'W/"a-g8XH0Dum5CMsI43ax61J3a/Qg5Q"' },
      body: { id: '1' },
    },
  },
  {
    name: 'unchanged',
    operation: 'getResource',
    summary: 'The same as before',
    parameters: { key: '1', 'If-None-Match': etag },
    answer: { status: 304 },
  },
  {
    name: 'unknown',
    operation: 'getResource',
    summary: 'There is no such document',
    parameters: { key: 'z' },
    answer: {
      status: 404,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:not-found',
        title: 'Not found',
        status: 404,
        detail: 'There is no document with the key "z".',
        code: 'not-found',
        instance: '/api/resources/z',
      },
    },
  },
];
