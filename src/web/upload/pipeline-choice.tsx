/** A pipeline as `GET /pipelines` lists it. */
export interface OfferedPipeline {
  readonly id: string;
  readonly description: string;
  /** What it does to a frame, tool by tool. */
  readonly nodes?: readonly {
    readonly id: string;
    readonly tool: string;
    readonly params: Readonly<Record<string, unknown>>;
    /** JSON Schema of the parameters. */
    readonly params_schema: Readonly<Record<string, unknown>>;
    readonly reads?: { readonly scripts: Readonly<Record<string, number>>; readonly languages: readonly string[] };
  }[];
}

export interface PipelineChoiceProps {
  readonly pipelines: readonly OfferedPipeline[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}

/** The choice of a pipeline, with the parameters of the chosen one. */
export function PipelineChoice({ pipelines, chosen, onChoose }: PipelineChoiceProps) {
  const { nodes = [] } = pipelines.find(({ id }) => id === chosen) ?? {};
  return (
    <fieldset class="pipelines">
      <legend>What to look for</legend>
      {pipelines.map(({ id, description }) => (
        <label key={id} class="pipeline">
          <input type="radio" name="pipeline" value={id} checked={id === chosen} onChange={() => onChoose(id)} />
          <span>
            {description}
            <code>{id}</code>
          </span>
        </label>
      ))}
      {nodes.length > 0 && (
        <details class="parameters">
          <summary>Parameters of {chosen}</summary>
          {nodes.map(({ id, tool, params, params_schema: schema, reads }) => (
            <dl key={id}>
              <dt>{tool}</dt>
              {reads && <dd>Reads {scriptsOf(reads)}</dd>}
              {Object.entries(params).map(([name, value]) => (
                <dd key={name}>
                  <code>{name}</code> <b>{typeof value === 'string' ? value : JSON.stringify(value)}</b>
                  <small>{meaningOf(schema, name)}</small>
                </dd>
              ))}
            </dl>
          ))}
        </details>
      )}
    </fieldset>
  );
}

/** A script with fewer letters serves formulas, not its languages. */
const WHOLE_SCRIPT = 20;

function scriptsOf({
  scripts,
  languages,
}: NonNullable<NonNullable<OfferedPipeline['nodes']>[number]['reads']>): string {
  const whole = Object.entries(scripts).filter(([, letters]) => letters >= WHOLE_SCRIPT);
  return [...whole.map(([script, letters]) => `${script} (${letters} letters)`), ...languages].join(', ');
}

/** The parts of a JSON Schema property that are shown. */
function meaningOf(schema: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const { properties } = schema;
  if (typeof properties !== 'object' || properties === null) return undefined;
  const property: unknown = Reflect.get(properties, name);
  if (typeof property !== 'object' || property === null) return undefined;
  const description: unknown = Reflect.get(property, 'description');
  return typeof description === 'string' ? description : undefined;
}
