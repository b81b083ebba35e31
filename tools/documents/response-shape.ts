import { z } from 'zod';
import { jsonSchemaSchema, typeOf, type Definitions, type JsonSchema } from './json-schema.ts';

/** Fields that several responses have. They are listed once, under the operation that the reference names. */
export interface SharedFields {
  readonly schema: z.ZodObject;
  readonly reference: string;
}

const documentSchema = z.object({ $defs: z.record(z.string(), jsonSchemaSchema).default({}) });

/**
 * Returns the shape of a response as a block of code: a field on each line with its type and meaning, `?` for one that
 * may be absent. Of shared fields it has the reference.
 */
export function responseShape(schema: z.ZodObject, shared: readonly SharedFields[] = []): string {
  const json = z.toJSONSchema(schema, {
    override: ({ zodSchema, jsonSchema }) => {
      const here: unknown = zodSchema;
      if (!(here instanceof z.ZodObject)) return;
      const base = shared.find((one) =>
        Object.entries(one.schema.shape).every(([name, it]) => here.shape[name] === it),
      );
      if (base === undefined) return;
      jsonSchema.description = base.reference;
      const own = Object.entries(jsonSchema.properties ?? {}).filter(([name]) => !(name in base.schema.shape));
      if (own.length === 0) delete jsonSchema.properties;
      else jsonSchema.properties = Object.fromEntries(own);
    },
  });
  const { description, properties, ...rest } = jsonSchemaSchema.parse(json);
  if (properties === undefined) return `\n${description}.\n`;
  const lines = linesOf({ ...rest, properties }, documentSchema.parse(json).$defs, '  ');
  const first = description === undefined ? '{' : `{ // ${description}, and:`;
  return `\n\`\`\`ts\n${[first, ...lines, '}'].join('\n')}\n\`\`\`\n`;
}

function linesOf(schema: JsonSchema, definitions: Definitions, indent: string): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const item = typeof field.items === 'object' ? field.items : undefined;
    const nested = item ?? field;
    const meaning = [field.description, item?.description].filter((text) => text !== undefined).join('. ');
    const comment = meaning === '' ? '' : ` // ${meaning.replaceAll('`', '')}`;
    const head = `${indent}${name}${schema.required?.includes(name) === true ? '' : '?'}:`;
    if (nested.properties === undefined) return [`${head} ${typeOf(field, definitions)}${comment}`];
    const [open, close] = item === undefined ? ['{', '}'] : ['[{', '}]'];
    return [`${head} ${open}${comment}`, ...linesOf(nested, definitions, `${indent}  `), `${indent}${close}`];
  });
}
