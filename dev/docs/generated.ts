/** The files of the documentation that are made, whole or in part, and what they should hold. */
import { existsSync, readFileSync } from 'node:fs';
import { configurationPage } from './configuration.ts';
import { httpApi } from './http-api.ts';
import { metricsTable } from './metrics.ts';
import { openApi } from './openapi/document.ts';
import { keeperDiagram, phaseDiagram, stageDiagram } from './state-diagrams.ts';
import { writtenSettings } from './written-settings.ts';

export interface Generated {
  /** From the root of the repository. */
  readonly file: string;
  /** The whole of the file as it should be. */
  readonly content: () => string | Promise<string>;
}

export const root: URL = new URL('../../../', import.meta.url);

export const generated: readonly Generated[] = [
  { file: 'docs/openapi.json', content: () => `${JSON.stringify(openApi(), null, 2)}\n` },
  { file: 'docs/http-api.md', content: httpApi },
  { file: 'docs/configuration.md', content: configurationPage },
  { file: 'src/config/settings/written.ts', content: writtenSettings },
  withRegions('docs/architecture.md', { phases: phaseDiagram, stages: stageDiagram, keeper: keeperDiagram }),
  withRegions('docs/operations.md', { metrics: metricsTable }),
];

/** Between `<!-- made: name -->` and `<!-- /made -->`. */
function withRegions(file: string, regions: Readonly<Record<string, () => string | Promise<string>>>): Generated {
  const content = async (): Promise<string> => {
    let text = existing(file);
    for (const [name, make] of Object.entries(regions)) {
      const region = new RegExp(`(<!-- made: ${name} -->\n).*?(\n<!-- /made -->)`, 's');
      if (!region.test(text)) throw new Error(`${file} has no place for ${name}`);
      const made = await make();
      text = text.replace(region, (_, begin: string, end: string) => `${begin}${made}${end}`);
    }
    return text;
  };
  return { file, content };
}

/** Empty where there is no such file. */
export function existing(file: string): string {
  const url = new URL(file, root);
  return existsSync(url) ? readFileSync(url, 'utf8') : '';
}
