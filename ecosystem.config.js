/** The built-in app: `PUT /api/sync` mirrors a JSON array into MongoDB, `GET /api/resources` serves it. */
/** @type {import('quiesce/primary').AppDefinition[]} */
export const apps = [
  {
    name: 'quiesce',
    script: './dist/worker/main.js',
    instances: 'max',
    port: 3000,
    quiesce: {
      sync: { collection: 'resources', key: 'id' },
      admin: { host: '127.0.0.1', port: 9615 },
    },
  },
];

// PM2 finds the apps by the named export only, others by the default one.
export default { apps };
