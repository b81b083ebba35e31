import { z } from 'zod';

/** The part of JSON Schema that zod writes for requests and responses; `typeOf` throws for anything else. */
export interface JsonSchema {
  readonly $ref?: string | undefined;
  readonly default?: unknown;
  readonly type?: string | readonly string[] | undefined;
  readonly format?: string | undefined;
  readonly description?: string | undefined;
  readonly const?: string | number | boolean | null | undefined;
  readonly enum?: readonly string[] | undefined;
  readonly anyOf?: readonly JsonSchema[] | undefined;
  readonly oneOf?: readonly unknown[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly items?: JsonSchema | boolean | undefined;
  readonly prefixItems?: readonly JsonSchema[] | undefined;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

export const jsonSchemaSchema: z.ZodType<JsonSchema> = z.lazy(() =>
  z.object({
    $ref: z.string().optional(),
    default: z.unknown().optional(),
    type: z.union([z.string(), z.array(z.string())]).optional(),
    format: z.string().optional(),
    description: z.string().optional(),
    const: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
    enum: z.array(z.string()).optional(),
    anyOf: z.array(jsonSchemaSchema).optional(),
    oneOf: z.array(z.unknown()).optional(),
    properties: z.record(z.string(), jsonSchemaSchema).optional(),
    required: z.array(z.string()).optional(),
    items: z.union([z.boolean(), jsonSchemaSchema]).optional(),
    prefixItems: z.array(jsonSchemaSchema).optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
);

export type Definitions = Readonly<Record<string, JsonSchema>>;

const FORMATS: ReadonlyMap<string, string> = new Map([
  ['uuid', 'UUID'],
  ['date-time', 'time'],
]);

/** Returns the type of a schema as documents write it, such as `list of UUID` or `integer, 1 or more`. */
export function typeOf(schema: JsonSchema, definitions: Definitions = {}): string {
  const named = schema.$ref?.split('/').at(-1);
  if (named !== undefined) return typeOf(definitions[named] ?? {}, definitions);
  const each = (some: readonly JsonSchema[]): string => some.map((one) => typeOf(one, definitions)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf !== undefined) return each(schema.anyOf);
  if (schema.oneOf !== undefined) return 'object';
  const { type } = schema;
  if (typeof type === 'object') return each(type.map((one) => ({ ...schema, type: one })));
  switch (type) {
    case 'string':
      return FORMATS.get(schema.format ?? '') ?? 'string';
    case 'integer':
    case 'number':
      return `${type}${rangeOf(schema)}`;
    case 'array':
      if (schema.prefixItems !== undefined) return `[${schema.prefixItems.map(({ type: item }) => item).join(', ')}]`;
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

/** Zod writes the limits of an integer as the safe ones. */
function rangeOf({ minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER }: JsonSchema): string {
  const least = minimum > Number.MIN_SAFE_INTEGER;
  const most = maximum < Number.MAX_SAFE_INTEGER;
  if (least && most) return `, ${minimum} to ${maximum}`;
  if (least) return `, ${minimum} or more`;
  return most ? `, ${maximum} or less` : '';
}
