import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { GUARD_HEIGHT, LABEL_HEIGHT, layoutChart, type PlacedEdge, type PlacedState } from './chart-layout.ts';
import type { MachineChart } from './machine-chart.ts';

/** Below this width in CSS pixels, a chart from left to right would be too small to read. */
const NARROW = 620;
/** More in one state are shown as a number. */
export const MAX_TOKENS = 3;
export const TOKEN_WIDTH = 23;
const LABEL_RADIUS = LABEL_HEIGHT / 2;
const BUNDLE_MARGIN = 4;

export interface ChartViewProps {
  readonly chart: MachineChart;
  /** Description of the picture for screen readers. */
  readonly title: string;
  /** Numbers shown on states, by id. */
  readonly counts?: ReadonlyMap<string, number>;
  /** Numbers of the workers in a state, each shown as a token, by id. */
  readonly tokens?: ReadonlyMap<string, readonly number[]>;
  /** Active states, by id. */
  readonly active?: ReadonlySet<string>;
  /** How often transitions were taken, by `source>event>target`; others are dimmed. Absent: no path is shown. */
  readonly walked?: ReadonlyMap<string, number>;
  /** The last transition, as in `walked`. */
  readonly latest?: string;
  /** Highlighted transitions, as in `walked`; a new number highlights again. */
  readonly flashes?: ReadonlyMap<string, number>;
  readonly onState?: (id: string) => void;
  /** Id of the selected state. */
  readonly chosen?: string;
  /** Space in each state for its number, in the chart's pixels. */
  readonly countWidth?: number;
}

/** Returns the key of a transition in `walked` and `flashes`. */
export function walkKey(source: string, event: string, target: string): string {
  return `${source}>${event}>${target}`;
}

/**
 * A state chart as SVG, for any XState 5 machine. It knows nothing of jobs. Ids are those of the definition
 * (`machine.state.child`). Styles: chart.css.
 * @example <ChartView chart={chartOf(JSON.parse(JSON.stringify(machine.definition)))} title="My machine"
 *   active={new Set(activeStates(machine.id, actor.getSnapshot().value))} />
 */
export function ChartView(props: ChartViewProps) {
  const { chart, title, walked, countWidth = 60 } = props;
  const place = useRef<HTMLDivElement>(null);
  const [isNarrow, setNarrow] = useState(false);
  const [isScrolled, setScrolled] = useState(false);
  useLayoutEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(() => {
      setNarrow(element.clientWidth < NARROW);
      setScrolled(element.scrollWidth > element.clientWidth);
    });
    observer.observe(element);
    for (const picture of element.children) observer.observe(picture);
    return () => observer.disconnect();
  }, []);
  const direction = isNarrow ? 'down' : 'right';
  const placed = useMemo(() => layoutChart(chart, { direction, countWidth }), [chart, direction, countWidth]);
  const { width, height } = placed;
  return (
    // If it is too wide, it can be scrolled with the keyboard too.
    <div class="chart-place" ref={place} role="group" aria-label={title} {...(isScrolled ? { tabIndex: 0 } : {})}>
      <svg
        class={walked === undefined ? 'chart' : 'chart chart--path'}
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
      >
        <defs>
          <Arrow id={`arrow-${chart.root.id}`} kind="arrow" />
          <Arrow id={`arrow-walked-${chart.root.id}`} kind="arrow arrow--walked" />
        </defs>
        {placed.states
          .filter(({ state }) => state.children.length > 0)
          .map((item) => (
            <Region key={item.state.id} {...item} />
          ))}
        {placed.starts.map(({ target, x, y, path }) => (
          <g key={target} class="edge edge--start">
            <circle cx={x} cy={y} r={5} />
            <path d={path} marker-end={`url(#arrow-${chart.root.id})`} />
          </g>
        ))}
        {placed.edges.map((edge) => (
          <Edge key={edge.id} edge={edge} {...props} />
        ))}
        {placed.states
          .filter(({ state }) => state.children.length === 0)
          .map((item) => (
            <State key={item.state.id} placed={item} {...props} />
          ))}
      </svg>
    </div>
  );
}

function Arrow({ id, kind }: { readonly id: string; readonly kind: string }) {
  return (
    <marker
      id={id}
      viewBox="0 0 8 8"
      refX="7"
      refY="4"
      markerWidth="8"
      markerHeight="8"
      orient="auto"
      markerUnits="userSpaceOnUse"
    >
      <path d="M0.5,0.5 L7.5,4 L0.5,7.5 z" class={kind} />
    </marker>
  );
}

function Region({ state, x, y, width, height }: PlacedState) {
  return (
    <g class="region">
      <rect x={x} y={y} width={width} height={height} rx={14} />
      <text x={x + 16} y={y + 22}>
        {state.name}
      </text>
    </g>
  );
}

function Edge({ edge, chart, walked, latest, flashes }: ChartViewProps & { readonly edge: PlacedEdge }) {
  const rows = edge.labels.map((label) => {
    const { source, event, target } = label.transition;
    const key = walkKey(source, event, target);
    return { ...label, key, times: walked?.get(key) ?? 0, flash: flashes?.get(key) };
  });
  const isWalked = rows.some(({ times }) => times > 0);
  const flash = rows.map((row) => row.flash ?? 0).reduce((a, b) => Math.max(a, b), 0);
  const isLatest = rows.some(({ key }) => key === latest);
  return (
    <g class={`edge${isWalked ? ' is-walked' : ''}${isLatest ? ' is-latest' : ''}`} data-edge={edge.id}>
      <path d={edge.path} marker-end={`url(#${isWalked ? 'arrow-walked' : 'arrow'}-${chart.root.id})`} />
      {flash > 0 && <path key={flash} class="flash" d={edge.path} />}
      {rows.length > 1 && <Bundle labels={rows} />}
      {rows.map(({ transition, guard, key, times, flash: rowFlash, x, y, width, height }) => (
        <g
          key={transition.id}
          class={`label${times > 0 ? ' is-walked' : ''}${key === latest ? ' is-latest' : ''}`}
          data-transition={key}
        >
          <title>{transition.description}</title>
          <rect x={x} y={y} width={width} height={height} rx={LABEL_RADIUS} />
          {rowFlash !== undefined && (
            <rect key={rowFlash} class="flash" x={x} y={y} width={width} height={height} rx={LABEL_RADIUS} />
          )}
          <text x={x + width / 2} y={y + LABEL_RADIUS}>
            {transition.event}
          </text>
          {guard.map((line, index) => (
            <text key={line} class="guard" x={x + width / 2} y={y + LABEL_RADIUS + (index + 1) * GUARD_HEIGHT}>
              {line}
            </text>
          ))}
          {times > 1 && (
            <g class="times">
              <circle cx={x + width} cy={y} r={9} />
              <text x={x + width} y={y}>
                {times}
              </text>
            </g>
          )}
        </g>
      ))}
    </g>
  );
}

/** One frame around the labels of all transitions that share a line. */
function Bundle({ labels }: { readonly labels: PlacedEdge['labels'] }) {
  const left = Math.min(...labels.map(({ x }) => x)) - BUNDLE_MARGIN;
  const right = Math.max(...labels.map(({ x, width }) => x + width)) + BUNDLE_MARGIN;
  const top = Math.min(...labels.map(({ y }) => y)) - BUNDLE_MARGIN;
  const bottom = Math.max(...labels.map(({ y, height }) => y + height)) + BUNDLE_MARGIN;
  return <rect class="bundle" x={left} y={top} width={right - left} height={bottom - top} rx={LABEL_RADIUS} />;
}

function State({ placed, counts, tokens, active, onState, chosen }: ChartViewProps & { readonly placed: PlacedState }) {
  const { state, x, y, width, height } = placed;
  const here = tokens?.get(state.id) ?? [];
  const shown = here.length <= MAX_TOKENS ? here : [];
  const count = counts?.get(state.id) ?? (here.length > MAX_TOKENS ? here.length : undefined);
  const isActive = active?.has(state.id) ?? false;
  const number = count ?? (shown.length === 0 ? undefined : shown.join(' and '));
  const spoken = `${state.name}${number === undefined ? '' : `, ${number}`}${isActive ? ', present state' : ''}`;
  const asButton =
    onState === undefined
      ? { role: 'img' as const }
      : {
          role: 'button' as const,
          // Attributes of SVG are case-sensitive.
          tabindex: 0,
          'aria-pressed': chosen === state.id,
          onClick: () => onState(state.id),
          onKeyDown: (event: KeyboardEvent) => {
            if (event.key !== 'Enter' && event.key !== ' ') return;
            event.preventDefault();
            onState(state.id);
          },
        };
  return (
    <g
      class={`state${isActive ? ' is-active' : ''}${chosen === state.id ? ' is-chosen' : ''}`}
      data-state={state.name}
      {...asButton}
    >
      <title>{`${spoken}. ${state.description}`}</title>
      <rect class="box" x={x} y={y} width={width} height={height} rx={12} />
      {state.kind === 'final' && (
        <rect class="final" x={x + 4} y={y + 4} width={width - 8} height={height - 8} rx={9} />
      )}
      <circle class="light" cx={x + 20} cy={y + height / 2} r={5} />
      <text class="name" x={x + 34} y={y + height / 2}>
        {state.name}
      </text>
      {shown.map((token, index) => (
        <g key={token} class="token">
          <circle cx={x + width - 22 - (shown.length - 1 - index) * TOKEN_WIDTH} cy={y + height / 2} r={10} />
          <text x={x + width - 22 - (shown.length - 1 - index) * TOKEN_WIDTH} y={y + height / 2}>
            {token}
          </text>
        </g>
      ))}
      {count !== undefined && (
        <text class="count" x={x + width - 16} y={y + height / 2}>
          {count.toLocaleString('en')}
        </text>
      )}
    </g>
  );
}
