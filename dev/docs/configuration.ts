/** docs/configuration.md: the settings from the schema, what is not supported from the list that names it at start. */
import { aliases, unsupported } from '#quiesce/config/settings/pm2-fields.js';
import { uriOptions } from '#quiesce/config/values/mongodb-uri.js';
import { settings, type Setting } from './settings.ts';
import { table } from './table.ts';

/** Times and sizes are explained once, above the tables. */
function short(takes: string): string {
  if (takes.startsWith('milliseconds')) return takes.startsWith('milliseconds above 0') ? 'a time above 0' : 'a time';
  return takes.startsWith('bytes, or') ? 'a size' : takes;
}

const code = (text: string): string => `\`${text}\``;

function settingsTable(rows: readonly Setting[]): string {
  return table(
    ['setting', 'default', 'takes', 'what it is for'],
    rows.map((setting) => [
      code(setting.path),
      setting.default === null ? '' : code(setting.default),
      short(setting.takes),
      setting.description,
    ]),
  );
}

export function configurationPage(): string {
  const all = settings();
  const own = all.filter(({ path }) => path.startsWith('quiesce.'));
  const shared = all.filter(({ path }) => !path.startsWith('quiesce.'));
  return `# Configuration

<!-- Made by dev/docs from src/config; \`npm run docs\` makes it anew. -->

\`quiesce start [file]\` reads \`ecosystem.config.js\` (or \`.mjs\`, \`.cjs\`, \`.json\`) of the working directory, or the file it is
given: a name that ends in \`.config.js\`, \`.config.mjs\`, \`.config.cjs\` or \`.json\` is a configuration, any other a script, which is
then an app of its own with every setting at its default. The file exports \`apps\`, a list of apps:

\`\`\`js
// ecosystem.config.js in a package with "type": "module". PM2 finds the apps by the named export only.
/** Editors complete the settings. @type {import('quiesce/primary').AppDefinition[]} */
export const apps = [
  {
    name: 'web',
    script: 'server.js',
    instances: 'max',
    env: { PORT: 3000 },
    env_production: { NODE_ENV: 'production' },
    quiesce: { mongodb: { uri: 'mongodb://127.0.0.1:27017/shop' }, sync: { collection: 'products', key: 'sku' } },
  },
];
export default { apps };
\`\`\`

\`quiesce validate\` reads the file as \`start\` does, and tells what each app will do.

- A **flag** of \`start\` wins over an **environment variable**, and that over the **file**. The one difference from PM2: \`PORT\` and
  \`HOST\` of the environment win over those in \`env\`; every other variable in \`env\` wins over the environment, as in PM2.
- **Times** are milliseconds, or have a unit: \`'500ms'\`, \`'10s'\`, \`'5m'\`, \`'1h'\`. **Sizes** are bytes, or have one: \`'512K'\`, \`'200M'\`,
  \`'1G'\` (powers of 1024). A number may be written in quotes.
- **Paths** start from \`cwd\`, and \`cwd\` and \`quiesce.data_dir\` from the folder of the file, whatever the working directory is.
- What is **wrong** is refused, all of it at once: a misspelt setting is an error, not a limit that is silently missing. What PM2
  has and quiesce has not is named at start (see below).
- **Several apps** in a file each get a primary of their own, and an admin port of their own; \`--only\` chooses one. A data directory
  that is given by flag or variable then holds a folder for each, and a \`PORT\` of the environment does not replace one in the file.

## Settings that PM2 has too

With the meaning and the default of PM2 7. \`env_<name>\` holds variables that \`--env <name>\` adds. Each setting may be written in
camelCase, and as ${Object.entries(aliases)
    .filter(([, main]) => shared.some(({ path }) => path === main))
    .map(([alias, main]) => `${code(alias)} (${main})`)
    .join(', ')}.

${settingsTable(shared)}

## quiesce's own settings

${settingsTable(own)}

\`quiesce.admin: false\` leaves only the control socket.

### The connection string

What the mirror does with each option of \`quiesce.mongodb.uri\`. An app of your own uses what it likes. The defaults that a replica
set may have for reading and writing (\`setDefaultRWConcern\`) count for as little as those of the string.

${table(
  ['options', '', 'what they do'],
  uriOptions.map(({ names, heeded, effect }) => [names.map(code).join(', '), heeded ? 'heeded' : 'not heeded', effect]),
)}

## Environment variables

${table(
  ['variable', 'what it is for'],
  [
    [
      '`PORT`, `HOST`',
      'Where the app listens. The app reads them; the built-in one listens on 127.0.0.1:3000 by default.',
    ],
    ['`MONGODB_URI`', 'As `quiesce.mongodb.uri`.'],
    ['`QUIESCE_SYNC_TOKEN`', 'As `quiesce.sync.token`. Workers do not find it in their environment.'],
    ['`QUIESCE_DATA_DIR`', 'As `quiesce.data_dir`; also for the commands that look for a running app.'],
    ['`LOG_LEVEL`', '`trace`, `debug`, `info` (default), `warn`, `error`, `fatal` or `silent`.'],
    ['`NO_COLOR`', 'Anything but empty: no colours.'],
  ],
)}

## PM2's settings that quiesce does not support

Each is named at start where it would do something, with what to do instead. Those marked \\* are refused, because the app would
not run as it is meant to.

${table(
  ['setting', 'instead'],
  Object.entries(unsupported).map(([name, { instead, refused }]) => [`${code(name)}${refused ? ' \\*' : ''}`, instead]),
)}

\`deploy\` at the top of the file is not supported either.
`;
}
