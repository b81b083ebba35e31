import { z } from 'zod';
import { markdownTable } from './markdown-table.ts';

/** As much of JSON Schema as zod writes for what is said over HTTP; anything else is refused by `typeOf`. */
interface JsonSchema {
  readonly $ref?: string | undefined;
  readonly default?: unknown;
  readonly type?: string | undefined;
  readonly format?: string | undefined;
  readonly description?: string | undefined;
  readonly const?: string | number | boolean | null | undefined;
  readonly enum?: readonly string[] | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: JsonSchema | boolean | undefined;
  readonly prefixItems?: readonly JsonSchema[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

const jsonSchemaSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    default: z.unknown().optional(),
    type: z.string().optional(),
    format: z.string().optional(),
    description: z.string().optional(),
    const: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
    enum: z.array(z.string()).optional(),
    anyOf: z.array(jsonSchemaSchema).optional(),
    properties: z.record(z.string(), jsonSchemaSchema).optional(),
    required: z.array(z.string()).optional(),
    items: z.union([z.boolean(), jsonSchemaSchema]).optional(),
    prefixItems: z.array(jsonSchemaSchema).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
);

const FORMATS: ReadonlyMap<string, string> = new Map([
  ['uuid', 'UUID'],
  ['date-time', 'ISO 8601 time'],
]);

/** Every field of an object's schema, nested ones by their path: `results[].frame_index`. */
export function schemaTable(schema: z.ZodType): string {
  const rows = fieldsOf(jsonSchemaSchema.parse(z.toJSONSchema(schema)), '');
  return markdownTable(['Field', 'Type', 'Always there', 'Meaning'], rows);
}

function fieldsOf(schema: JsonSchema, prefix: string): readonly (readonly string[])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const always = schema.required?.includes(name) === true && field.default === undefined ? 'yes' : 'no';
    const item = typeof field.items === 'object' ? field.items : undefined;
    return [
      [`\`${path}\``, typeOf(field), always, field.description ?? ''],
      ...fieldsOf(field, `${path}.`),
      ...(item === undefined ? [] : fieldsOf(item, `${path}[].`)),
    ];
  });
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(', ');
  switch (schema.type) {
    case 'string':
      return FORMATS.get(schema.format ?? '') ?? 'string';
    case 'integer':
    case 'number':
      return `${schema.type === 'integer' ? 'integer' : 'number'}${rangeOf(schema)}`;
    case 'array':
      if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(typeOf).join(', ')}]`;
      return typeof schema.items === 'object' ? `list of ${typeOf(schema.items)}` : 'list';
    case 'boolean':
    case 'object':
    case 'null':
      return schema.type;
    case undefined:
      break;
  }
  throw new Error(`no words for the schema ${JSON.stringify(schema)}`);
}

function rangeOf({ minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string {
  const least = minimum > Number.MIN_SAFE_INTEGER;
  const most = maximum < Number.MAX_SAFE_INTEGER;
  if (least && most) return `, ${minimum} to ${maximum}`;
  if (least) return `, ${minimum} or more`;
  return most ? `, ${maximum} or less` : '';
}
