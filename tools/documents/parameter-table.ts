import { z } from 'zod';
import { jsonSchemaSchema, typeOf } from './json-schema.ts';
import { markdownTable } from './markdown-table.ts';

/** Returns a table of the parameters of a request but the omitted ones. All are sent as text; `?` marks optional ones. */
export function parameterTable(schema: z.ZodObject, omitted: ReadonlySet<string> = new Set()): string {
  const { required = [] } = jsonSchemaSchema.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  const { properties = {} } = jsonSchemaSchema.parse(z.toJSONSchema(schema));
  const rows = Object.entries(properties)
    .filter(([name]) => !omitted.has(name))
    .map(([name, field]) => [
      `\`${name}${required.includes(name) ? '' : '?'}\``,
      typeOf(field),
      `${field.description ?? ''}${field.default === undefined ? '' : `; default ${JSON.stringify(field.default)}`}`,
    ]);
  return markdownTable(['Parameter', 'Type', 'Meaning'], rows);
}

/** Returns a table of the parameters of a tool, from their JSON Schema. */
export function toolTable(schema: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(jsonSchemaSchema.parse(schema).properties ?? {}).map(([name, field]) => [
    `\`${name}\``,
    typeOf(field),
    field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``,
    field.description ?? '',
  ]);
  return markdownTable(['Parameter', 'Type', 'Default', 'Meaning'], rows);
}
