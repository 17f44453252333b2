/**
 * Decides which options of a connection string the mirror uses, and which it sets itself. The mirror compares, writes
 * and follows changes only at the primary of a replica set, with majority writes. But the string is often made by a
 * hosting company for an app that may read from secondaries.
 */

export interface UriOptions {
  readonly names: readonly string[];
  /** Whether the mirror uses these options. */
  readonly heeded: boolean;
  readonly effect: string;
}

/** All options that the driver knows; a test compares this list with the driver. */
export const uriOptions: readonly UriOptions[] = [
  {
    names: ['authMechanism', 'authMechanismProperties', 'authSource', 'auth'],
    heeded: true,
    effect: 'Who it is.',
  },
  {
    names: [
      'tls',
      'ssl',
      'tlsCAFile',
      'tlsCRLFile',
      'tlsCertificateKeyFile',
      'tlsCertificateKeyFilePassword',
      'tlsAllowInvalidCertificates',
      'tlsAllowInvalidHostnames',
      'tlsInsecure',
      'servername',
    ],
    heeded: true,
    effect: 'How the connection is encrypted.',
  },
  {
    names: [
      'replicaSet',
      'directConnection',
      'loadBalanced',
      'srvMaxHosts',
      'srvServiceName',
      'srvAllowedHostsSuffix',
      'proxyHost',
      'proxyPort',
      'proxyUsername',
      'proxyPassword',
      'family',
      'autoSelectFamily',
      'autoSelectFamilyAttemptTimeout',
      'dbName',
    ],
    heeded: true,
    effect: 'Where it is. `directConnection` has to lead to the primary.',
  },
  {
    names: ['compressors', 'zlibCompressionLevel', 'noDelay', 'maxIdleTimeMS'],
    heeded: true,
    effect: 'How it is spoken to.',
  },
  {
    names: [
      'heartbeatFrequencyMS',
      'minHeartbeatFrequencyMS',
      'serverMonitoringMode',
      'localThresholdMS',
      'maxAdaptiveRetries',
      'enableOverloadRetargeting',
      'monitorCommands',
      'mongodbLogPath',
      'mongodbLogMaxDocumentLength',
      'mongodbLogComponentSeverities',
    ],
    heeded: true,
    effect: 'How the driver watches it.',
  },
  {
    names: ['readPreference', 'readPreferenceTags', 'maxStalenessSeconds'],
    heeded: false,
    effect: 'The mirror reads from the primary, and so does `/api/resources` of the built-in app: a secondary lags.',
  },
  {
    names: ['readConcern', 'readConcernLevel'],
    heeded: false,
    effect: 'Each read has its own: `majority` while the cluster serves, `local` in the pause.',
  },
  {
    names: ['w', 'wtimeout', 'wtimeoutMS', 'j', 'journal', 'fsync', 'writeConcern'],
    heeded: false,
    effect: 'What is written is acknowledged by the majority and journaled. `w=0` is refused at start.',
  },
  {
    names: ['maxPoolSize', 'minPoolSize', 'maxConnecting', 'waitQueueTimeoutMS'],
    heeded: false,
    effect: 'The mirror has up to 10 connections, each for as long as it is needed.',
  },
  {
    names: ['connectTimeoutMS', 'serverSelectionTimeoutMS', 'socketTimeoutMS', 'timeoutMS'],
    heeded: false,
    effect: '`sync.database_timeout` says how long MongoDB may be gone; one command may take 60 s.',
  },
  {
    names: ['retryReads', 'retryWrites', 'appName'],
    heeded: false,
    effect: 'Both retries are on; the name is `quiesce-mirror`.',
  },
  {
    names: [
      'bsonRegExp',
      'enableUtf8Validation',
      'useBigInt64',
      'promoteBuffers',
      'promoteLongs',
      'promoteValues',
      'raw',
      'fieldsAsRaw',
      'ignoreUndefined',
      'serializeFunctions',
      'checkKeys',
      'forceServerObjectId',
    ],
    heeded: false,
    effect: 'How documents become objects of JavaScript; the mirror makes none of them.',
  },
];

const decided = new Set(
  uriOptions.flatMap(({ names, heeded }) => (heeded ? [] : names)).map((name) => name.toLowerCase()),
);

/** Returns the string without the options that the mirror sets itself. */
export function mirrorUri(uri: string): string {
  return filtered(uri, (name) => !decided.has(name));
}

const reading = new Set(['readpreference', 'readpreferencetags', 'maxstalenessseconds']);

/** Returns the string without the options that could direct reads to a secondary. */
export function primaryUri(uri: string): string {
  return filtered(uri, (name) => !reading.has(name));
}

/** Returns the string without credentials, so that it can be shown. */
export function withoutPassword(uri: string): string {
  return uri.replace(/\/\/[^/@]*@/, '//…@');
}

/** Returns why the mirror cannot use the string, or null. The text does not quote the string, which has a password. */
export function uriFault(uri: string): string | null {
  const [, options] = split(uri);
  for (const option of options) {
    if (nameOf(option) === 'w' && /^[^=]*=0*$/.test(option))
      return 'w=0 asks for writes that nobody acknowledges, so that nobody can tell what was mirrored; leave w out';
  }
  return null;
}

function filtered(uri: string, keeps: (name: string) => boolean): string {
  const [address, options] = split(uri);
  const kept = options.filter((option) => keeps(nameOf(option)));
  return kept.length === 0 ? address : `${address}?${kept.join('&')}`;
}

/** Splits the string as the driver does: a password may contain a `?`. */
function split(uri: string): [address: string, options: string[]] {
  const [hosts = ''] = /^[^/]+:\/\/(?:[^@]*@)?[^/?@]+/.exec(uri) ?? [];
  const at = uri.indexOf('?', hosts.length);
  return at === -1 ? [uri, []] : [uri.slice(0, at), uri.slice(at + 1).split('&')];
}

function nameOf(option: string): string {
  return [...new URLSearchParams(option).keys()].join('').toLowerCase();
}
