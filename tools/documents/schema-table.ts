import { z } from 'zod';
import { markdownTable } from './markdown-table.ts';

/** As much of JSON Schema as zod writes for what is said over HTTP; anything else is refused by `typeOf`. */
interface JsonSchema {
  readonly $ref?: string | undefined;
  readonly default?: unknown;
  readonly type?: string | readonly string[] | undefined;
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
    type: z.union([z.string(), z.array(z.string())]).optional(),
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

const documentSchema = z.object({ $defs: z.record(z.string(), jsonSchemaSchema).default({}) });

type Definitions = Readonly<Record<string, JsonSchema>>;

/** Every field of an answer's schema, nested ones by their path: `results[].frame_index`. */
export function schemaTable(schema: z.ZodType): string {
  const json = z.toJSONSchema(schema);
  const rows = fieldsOf(jsonSchemaSchema.parse(json), documentSchema.parse(json).$defs, '');
  return markdownTable(['Field', 'Type', 'Always there', 'Meaning'], rows);
}

/** Every parameter of a request, as it is understood; all are sent as text. */
export function parameterTable(schema: z.ZodType): string {
  const { required = [] } = jsonSchemaSchema.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  const { properties = {} } = jsonSchemaSchema.parse(z.toJSONSchema(schema));
  const rows = Object.entries(properties).map(([name, field]) => [
    `\`${name}\``,
    typeOf(field, {}),
    required.includes(name) ? 'yes' : 'no',
    `${field.description ?? ''}${field.default === undefined ? '' : `; ${JSON.stringify(field.default)} when absent`}`,
  ]);
  return markdownTable(['Parameter', 'Type', 'Required', 'Meaning'], rows);
}

/** Every parameter of a tool, by the JSON Schema that users are told of. */
export function toolTable(schema: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(jsonSchemaSchema.parse(schema).properties ?? {}).map(([name, field]) => [
    `\`${name}\``,
    typeOf(field, {}),
    field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``,
    field.description ?? '',
  ]);
  return markdownTable(['Parameter', 'Type', 'Default', 'Meaning'], rows);
}

function fieldsOf(schema: JsonSchema, definitions: Definitions, prefix: string): readonly (readonly string[])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const always = schema.required?.includes(name) === true ? 'yes' : 'no';
    const item = typeof field.items === 'object' ? field.items : undefined;
    return [
      [`\`${path}\``, typeOf(field, definitions), always, field.description ?? ''],
      ...fieldsOf(field, definitions, `${path}.`),
      ...(item === undefined ? [] : fieldsOf(item, definitions, `${path}[].`)),
    ];
  });
}

function typeOf(schema: JsonSchema, definitions: Definitions): string {
  const named = schema.$ref?.split('/').at(-1);
  if (named !== undefined) return typeOf(definitions[named] ?? {}, definitions);
  const each = (some: readonly JsonSchema[]): string => some.map((one) => typeOf(one, definitions)).join(', ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (schema.anyOf !== undefined) return each(schema.anyOf);
  const { type } = schema;
  if (typeof type === 'object') return each(type.map((one) => ({ ...schema, type: one })));
  switch (type) {
    case 'string':
      return FORMATS.get(schema.format ?? '') ?? 'string';
    case 'integer':
    case 'number':
      return `${type}${rangeOf(schema)}`;
    case 'array':
      if (schema.prefixItems !== undefined) return `[${each(schema.prefixItems)}]`;
      return typeof schema.items === 'object' ? `list of ${typeOf(schema.items, definitions)}` : 'list';
    case 'boolean':
    case 'object':
    case 'null':
      return type;
    case undefined:
      return 'any JSON';
    default:
      throw new Error(`no words for the schema ${JSON.stringify(schema)}`);
  }
}

function rangeOf({ minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string {
  const least = minimum > Number.MIN_SAFE_INTEGER;
  const most = maximum < Number.MAX_SAFE_INTEGER;
  if (least && most) return `, ${minimum} to ${maximum}`;
  if (least) return `, ${minimum} or more`;
  return most ? `, ${maximum} or less` : '';
}
