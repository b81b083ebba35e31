import { z } from 'zod';
import { markdownTable } from './markdown-table.ts';

/** The part of JSON Schema that zod writes for requests and responses; `typeOf` throws for anything else. */
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

/** Fields that several schemas have, and how a document refers to the table that lists them. */
export interface SharedFields {
  readonly schema: z.ZodObject;
  readonly reference: string;
}

/**
 * Returns a table of the fields of a response. Nested fields have their path: `results[].frame_index`. A `?` marks a
 * field that may be absent. Shared fields are referred to, not listed.
 */
export function schemaTable(schema: z.ZodType, shared: readonly SharedFields[] = []): string {
  const json = z.toJSONSchema(schema, {
    override: ({ zodSchema, jsonSchema }) => {
      const here: unknown = zodSchema;
      const reference = here === schema ? undefined : shared.find((one) => one.schema === here)?.reference;
      if (reference === undefined) return;
      delete jsonSchema.properties;
      jsonSchema.description = reference;
    },
  });
  const base = baseOf(schema, shared);
  const rows = fieldsOf(jsonSchemaSchema.parse(json), documentSchema.parse(json).$defs, '', namesOf(base));
  return tableBeside(base, ['Field', 'Type', 'Meaning'], rows);
}

/** Returns a table of the parameters of a request. All are sent as text. Shared parameters are referred to. */
export function parameterTable(schema: z.ZodType, shared: readonly SharedFields[] = []): string {
  const { required = [] } = jsonSchemaSchema.parse(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }));
  const { properties = {} } = jsonSchemaSchema.parse(z.toJSONSchema(schema));
  const base = baseOf(schema, shared);
  const listed = namesOf(base);
  const rows = Object.entries(properties)
    .filter(([name]) => !listed.has(name))
    .map(([name, field]) => [
      `\`${name}${required.includes(name) ? '' : '?'}\``,
      typeOf(field, {}),
      `${field.description ?? ''}${field.default === undefined ? '' : `; default ${JSON.stringify(field.default)}`}`,
    ]);
  return tableBeside(base, ['Parameter', 'Type', 'Meaning'], rows);
}

/** Returns the shared fields that are all in a schema, as the same zod schemas. */
function baseOf(schema: z.ZodType, shared: readonly SharedFields[]): SharedFields | undefined {
  if (!(schema instanceof z.ZodObject)) return undefined;
  return shared.find((one) => Object.entries(one.schema.shape).every(([name, field]) => schema.shape[name] === field));
}

function namesOf(base: SharedFields | undefined): ReadonlySet<string> {
  return new Set(Object.keys(base?.schema.shape ?? {}));
}

function tableBeside(
  base: SharedFields | undefined,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  if (base === undefined) return markdownTable(head, rows);
  return rows.length === 0 ? `\n${base.reference}.\n` : `\n${base.reference}, and:\n${markdownTable(head, rows)}`;
}

/** Returns a table of the parameters of a tool, from their JSON Schema. */
export function toolTable(schema: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(jsonSchemaSchema.parse(schema).properties ?? {}).map(([name, field]) => [
    `\`${name}\``,
    typeOf(field, {}),
    field.default === undefined ? '' : `\`${JSON.stringify(field.default)}\``,
    field.description ?? '',
  ]);
  return markdownTable(['Parameter', 'Type', 'Default', 'Meaning'], rows);
}

const NONE: ReadonlySet<string> = new Set();

function fieldsOf(
  schema: JsonSchema,
  definitions: Definitions,
  prefix: string,
  omitted = NONE,
): readonly (readonly string[])[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    if (omitted.has(name)) return [];
    const path = `${prefix}${name}`;
    const mark = schema.required?.includes(name) === true ? '' : '?';
    const item = typeof field.items === 'object' ? field.items : undefined;
    const meaning = [field.description, item?.description].filter((text) => text !== undefined).join('. ');
    return [
      [`\`${path}${mark}\``, typeOf(field, definitions), meaning],
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
