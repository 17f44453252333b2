import { asAdmin, problemType, type Example } from './example.ts';
import {
  firstRecord,
  firstRun,
  heldStatus,
  openedStatus,
  reloadedStatus,
  scaledStatus,
  secondRecord,
  status,
} from './values.ts';

const json = 'application/json';

export const beforeTheHold: readonly Example[] = [
  { name: 'page', operation: 'getDashboard', summary: 'The page', answer: { status: 200, type: 'text/html' } },
  { name: 'text', operation: 'getMetrics', summary: 'The metrics', answer: { status: 200, type: 'text/plain' } },
  {
    name: 'serving',
    operation: 'getStatus',
    summary: 'It serves',
    answer: { status: 200, type: json, body: status },
  },
  {
    name: 'foreignPage',
    operation: 'getStatus',
    summary: 'A page of another site asks',
    headers: { Origin: 'https://elsewhere.example' },
    answer: {
      status: 403,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:forbidden',
        title: 'Not allowed from here',
        status: 403,
        detail: 'A page of another origin may not call the admin server.',
        code: 'forbidden',
        instance: '/api/status',
      },
    },
  },
  {
    name: 'listening',
    operation: 'getUrls',
    summary: 'It listens',
    answer: { status: 200, type: json, body: { urls: ['http://127.0.0.1:3000'] } },
  },
  {
    name: 'first',
    operation: 'followCluster',
    summary: 'The first event',
    answer: {
      status: 200,
      type: 'text/event-stream',
      body: `event: status\nid: 1763780400000.0\ndata: ${JSON.stringify(status)}\n\n`,
    },
  },
  {
    name: 'on',
    operation: 'setMaintenance',
    summary: 'On, for ten minutes',
    headers: asAdmin,
    body: { on: true, reason: 'moving house', for: '10m' },
    answer: { status: 200, type: json, body: heldStatus },
  },
];

export const afterTheHold: readonly Example[] = [
  {
    name: 'off',
    operation: 'setMaintenance',
    summary: 'Off',
    headers: asAdmin,
    body: { on: false },
    answer: { status: 200, type: json, body: openedStatus },
  },
  {
    name: 'three',
    operation: 'scale',
    summary: 'One more',
    headers: asAdmin,
    body: { instances: 3 },
    answer: { status: 200, type: json, body: scaledStatus },
  },
  {
    name: 'replaced',
    operation: 'reload',
    summary: 'Every worker is new',
    headers: asAdmin,
    body: {},
    answer: { status: 200, type: json, body: { ...reloadedStatus, changes: [], dryRun: false } },
  },
  {
    name: 'noToken',
    operation: 'reload',
    summary: 'The token is missing',
    headers: { 'Content-Type': json },
    body: {},
    answer: {
      status: 401,
      type: problemType,
      headers: { 'WWW-Authenticate': 'Bearer' },
      body: {
        type: 'urn:quiesce:problem:unauthorized',
        title: 'A valid token is required',
        status: 401,
        detail: 'A change needs `Authorization: Bearer` with the token in admin.token of the data directory.',
        code: 'unauthorized',
        instance: '/api/reload',
      },
    },
  },
];

export const afterTheFeeds: readonly Example[] = [
  {
    name: 'last',
    operation: 'getHistory',
    summary: 'The last run',
    parameters: { limit: '1' },
    answer: { status: 200, type: json, body: { items: [secondRecord] } },
  },
  {
    name: 'ended',
    operation: 'getRunOfHistory',
    summary: 'A run that has succeeded',
    parameters: { id: firstRun },
    answer: { status: 200, type: json, body: firstRecord },
  },
  {
    name: 'ended',
    operation: 'cancelRun',
    summary: 'It has ended long ago',
    parameters: { id: firstRun },
    headers: asAdmin,
    body: {},
    answer: {
      status: 400,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:bad-request',
        title: 'The request cannot be understood',
        status: 400,
        detail: `Run ${firstRun} is succeeded: only a run that is going on can be cancelled.`,
        code: 'bad-request',
        instance: `/api/runs/${firstRun}/cancel`,
      },
    },
  },
  {
    name: 'ended',
    operation: 'abandonRun',
    summary: 'It has ended long ago',
    parameters: { id: firstRun },
    headers: asAdmin,
    body: {},
    answer: {
      status: 400,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:bad-request',
        title: 'The request cannot be understood',
        status: 400,
        detail: `Run ${firstRun} is succeeded: only a run that is being rolled forward can be abandoned.`,
        code: 'bad-request',
        instance: `/api/runs/${firstRun}/abandon`,
      },
    },
  },
  {
    name: 'alone',
    operation: 'removeHost',
    summary: 'There are no other hosts',
    parameters: { name: 'web-2' },
    headers: asAdmin,
    body: {},
    answer: {
      status: 404,
      type: problemType,
      body: {
        type: 'urn:quiesce:problem:not-found',
        title: 'Not found',
        status: 404,
        detail: 'This host is alone: quiesce.cluster.name is not set, and there are no others.',
        code: 'not-found',
        instance: '/api/hosts/web-2/remove',
      },
    },
  },
];

export const theEnd: readonly Example[] = [
  {
    name: 'gracefully',
    operation: 'stop',
    summary: 'When all is finished',
    headers: asAdmin,
    body: {},
    answer: { status: 202, type: json, body: { pid: 4211 } },
  },
];
