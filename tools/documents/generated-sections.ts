import { z } from 'zod';
import { jobMachine } from '../../machines/job.ts';
import { toMermaid, transitionsOf } from '../../machines/mermaid.ts';
import { workerMachine } from '../../machines/worker.ts';
import { configSchema } from '../../src/config.ts';
import { BUILT_IN_DETECTOR } from '../../src/pipeline/models/model-catalogue.ts';
import type { Tool } from '../../src/pipeline/tools/tool.ts';
import { TOOLS } from '../../src/pipeline/tools/tools.ts';
import { API_SECTIONS } from './api-sections.ts';
import { COMMAND_SECTIONS } from './command-sections.ts';
import { markdownTable } from './markdown-table.ts';
import { toolTable } from './parameter-table.ts';

/** The text between `<!-- name -->` and `<!-- /name -->` in a document, by name. */
const SECTIONS: Readonly<Record<string, () => string>> = {
  'machine:job': () => diagram(toMermaid(jobMachine)),
  'machine:worker': () => diagram(toMermaid(workerMachine)),
  'transitions:job': () => transitionTable(jobMachine),
  'transitions:worker': () => transitionTable(workerMachine),
  settings: settingsTable,
  ...Object.fromEntries([...TOOLS.values()].map((tool) => [`tool:${tool.name}`, () => parameters(tool)])),
  ...API_SECTIONS,
  ...COMMAND_SECTIONS,
};

const MARKED = /<!-- ([\w.:-]+) -->\n[\s\S]*?<!-- \/\1 -->/g;
const MARKER = /<!-- \/?([\w.:-]+) -->/g;

/**
 * Returns the text with every marked section generated again from the code.
 * @throws if a marker has no partner or names an unknown section, which would become stale unnoticed
 */
export function fillSections(text: string): string {
  const lonely = text.replaceAll(MARKED, '').match(MARKER);
  if (lonely !== null) throw new Error(`${lonely[0]} has no partner`);
  return text.replaceAll(MARKED, (_, name: string) => {
    const write = SECTIONS[name];
    if (write === undefined)
      throw new Error(`nothing writes <!-- ${name} -->; known: ${Object.keys(SECTIONS).join(', ')}`);
    return `<!-- ${name} -->\n${write()}\n<!-- /${name} -->`;
  });
}

function diagram(mermaid: string): string {
  return `\n\`\`\`mermaid\n${mermaid}\n\`\`\`\n`;
}

function transitionTable(machine: Parameters<typeof transitionsOf>[0]): string {
  return markdownTable(
    ['From', 'Event', 'If', 'To', 'Meaning'],
    transitionsOf(machine).map(({ from, event, guard, to, description }) => [
      from,
      `\`${event}\``,
      /^\w+$/.test(guard) ? `\`${guard}\`` : guard,
      to,
      description,
    ]),
  );
}

function parameters(tool: Tool): string {
  return toolTable(tool.configure({}, { detector: BUILT_IN_DETECTOR }).paramsSchema);
}

function settingsTable(): string {
  const empty: Readonly<Record<string, unknown>> = configSchema.parse({});
  return markdownTable(
    ['Variable', 'Default', 'Meaning'],
    Object.entries(configSchema.shape).map(([name, schema]) => {
      const meaning = z.string().parse(schema.description);
      const value = z.coerce.string().parse(empty[name] ?? '');
      return [`\`${name}\``, value === '' ? '' : `\`${value}\``, meaning];
    }),
  );
}
