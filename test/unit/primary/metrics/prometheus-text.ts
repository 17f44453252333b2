/** The text format of Prometheus, read strictly: what it means, or what is wrong with it. */

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: Map<string, number>;
}

const sampleLine = /^([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (\S+)$/;

export function parseMetrics(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let current: { name: string; family: Family } | null = null;
  let help: [string, string] | null = null;
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? [];
    if (kind === 'HELP') {
      help = [name!, rest!];
    } else if (kind === 'TYPE') {
      if (help?.[0] !== name) throw new Error(`${name} has no help`);
      if (families.has(name!)) throw new Error(`${name} comes twice`);
      current = { name: name!, family: { type: rest!, help: help![1], samples: new Map() } };
      families.set(name!, current.family);
    } else {
      const [, metric, labels = '', value] = sampleLine.exec(line) ?? [];
      if (metric === undefined || current === null || !metric.startsWith(current.name)) throw new Error(`odd: ${line}`);
      const key = `${metric.slice(current.name.length)}{${labels}}`;
      const number = value === '+Inf' ? Infinity : Number(value);
      if (Number.isNaN(number)) throw new Error(`no number: ${line}`);
      if (current.family.samples.has(key)) throw new Error(`twice: ${line}`);
      current.family.samples.set(key, number);
    }
  }
  return families;
}
