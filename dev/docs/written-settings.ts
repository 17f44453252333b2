/** src/config/settings/written.ts: the settings as a user writes them, for editors and compilers. */
import { allowedWords } from '#quiesce/config/values/kinds.js';
import { settings } from '#quiesce/config/settings/schema.js';
import { required, Setting, Switchable, type Section } from '#quiesce/config/settings/setting.js';
import { inWords } from './settings.ts';

const variables = 'Readonly<Record<string, string | number | boolean>>';
const object = 'Readonly<Record<string, unknown>>';
const source = { url: 'https://feeds.example/items', cron: '0 3 * * *' };
const receiver = { url: 'https://hooks.example/notices' };

/** Values of each type; a setting takes a type if it takes one of them. */
const samples: readonly (readonly [type: string, values: readonly unknown[]])[] = [
  ['number', [0, 1, 3_000]],
  [
    'string',
    ['3000', '10s', '512M', 'text', '/path', '127.0.0.1', '10%', '0 3 * * *', 'mongodb://127.0.0.1/db', 'max'],
  ],
  ['boolean', [true, false]],
  ['readonly (string | number)[]', [['text', 1]]],
  ['readonly string[]', [['text'], ['/path'], ['127.0.0.1']]],
  [variables, [{ NAME: 'text' }]],
  [object, [source]],
  [`readonly ${object}[]`, [[source], [receiver]]],
];

function typeOf({ kind }: Setting): string {
  const { allowed } = allowedWords.get(kind)!;
  if (/^('[^']*'|true|false)(, ('[^']*'|true|false))*$/.test(allowed)) return allowed.replaceAll(', ', ' | ');
  const types = samples
    .filter(([, values]) => values.some((value) => kind.safeParse(value).success))
    .map(([type]) => type);
  if (types.length === 0) return 'unknown';
  const wider: Readonly<Record<string, string>> = {
    [object]: variables,
    'readonly string[]': 'readonly (string | number)[]',
  };
  return types.filter((type) => !types.includes(wider[type] ?? '')).join(' | ');
}

function docsOf({ docs: markdown, default: given }: Setting): string {
  const docs = markdown.replaceAll(/\[[^\]]+\]\(([^)]+)\)/g, 'docs/$1');
  const written = inWords(given);
  return written === null ? docs : `${docs} Default: ${written}.`;
}

function membersOf(section: Section, indent: string): string {
  return Object.entries(section)
    .map(([name, member]) => {
      if (member instanceof Setting) {
        const mark = member.default === required ? '' : '?';
        return `${indent}/** ${docsOf(member)} */\n${indent}readonly ${name}${mark}: ${typeOf(member)};\n`;
      }
      if (member instanceof Switchable) return `${indent}readonly ${name}?: false | ${interfaceOf(name)};\n`;
      const docs = indent === '  ' ? `${indent}/** Settings that PM2 does not have. */\n` : '';
      return `${docs}${indent}readonly ${name}?: {\n${membersOf(member, `${indent}  `)}${indent}};\n`;
    })
    .join('');
}

const interfaceOf = (name: string): string => `Written${name[0]!.toUpperCase()}${name.slice(1)}`;

function switchables(section: Section): [name: string, members: Section][] {
  return Object.entries(section).flatMap(([name, member]): [string, Section][] => {
    if (member instanceof Setting) return [];
    return member instanceof Switchable ? [[name, member.members]] : switchables(member);
  });
}

export function writtenSettings(): string {
  const parts = switchables(settings).map(
    ([name, members]) =>
      `\n/** The section \`${name}\`; \`false\` switches it off. */\nexport interface ${interfaceOf(name)} {\n${membersOf(members, '  ')}}\n`,
  );
  return `/** The settings of an app as a user writes them. Made by dev/docs from their declarations; \`npm run docs\` makes it anew. */
export interface WrittenApp {
${membersOf(settings, '  ')}}
${parts.join('')}`;
}
