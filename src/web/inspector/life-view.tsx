import { useEffect, useState } from 'preact/hooks';
import { useNow } from '../shared/clock.ts';
import { formatDuration } from '../duration.ts';
import type { LifeStep } from './job-life.ts';

/** Milliseconds per step during playback. */
const REPLAY_MS = 1_100;

export interface LifeViewProps {
  readonly steps: readonly LifeStep[];
  /** True if the last state is final, so that its stay has no length. */
  readonly isOver: boolean;
  /** Number of the displayed step, from 1. */
  readonly at: number;
  readonly onAt: (at: number) => void;
}

/**
 * The history of a job: its stays as a bar, a scrubber over its steps, the steps as a list, and the context at the
 * displayed step.
 */
export function LifeView({ steps, isOver, at, onAt }: LifeViewProps) {
  const now = useNow();
  const [isPlaying, setPlaying] = useState(false);
  const last = steps.length;
  useEffect(() => {
    if (!isPlaying) return undefined;
    if (at >= last) {
      setPlaying(false);
      return undefined;
    }
    const timer = setTimeout(() => onAt(at + 1), REPLAY_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, at, last, onAt]);
  const present = steps[at - 1];
  const first = steps[0];
  if (present === undefined || first === undefined) return null;
  const stayOf = (step: LifeStep): number | null =>
    step.stayMs ?? (isOver ? null : Math.max(0, now - Date.parse(step.occurred_at)));
  const goTo = (next: number): void => {
    setPlaying(false);
    onAt(Math.min(last, Math.max(1, next)));
  };
  return (
    <div class="life">
      <div class="stays" aria-hidden="true" title="Widths are logarithmic">
        {steps.map((step) => {
          const stay = stayOf(step);
          return (
            <button
              key={step.seq}
              type="button"
              tabIndex={-1}
              class={`stay${step.seq === at ? ' is-present' : ''}${step.seq > at ? ' is-ahead' : ''}`}
              data-state={step.to}
              style={{ flexGrow: stay === null ? 0 : Math.log10(10 + stay) }}
              onClick={() => goTo(step.seq)}
            >
              <span>{step.to}</span>
              {stay !== null && <small>{formatDuration(stay)}</small>}
            </button>
          );
        })}
      </div>
      <div class="scrubber">
        <button
          type="button"
          aria-label={isPlaying ? 'Pause the replay' : 'Replay from the start'}
          onClick={() => {
            if (!isPlaying && at >= last) onAt(1);
            setPlaying(!isPlaying);
          }}
        >
          {isPlaying ? '❚❚' : '▶'}
        </button>
        <button type="button" aria-label="One step back" disabled={at <= 1} onClick={() => goTo(at - 1)}>
          ‹
        </button>
        <input
          type="range"
          min={1}
          max={last}
          step={1}
          value={at}
          aria-label="Step of the job's life"
          aria-valuetext={`step ${at} of ${last}: ${present.event}, now ${present.to}`}
          onInput={({ currentTarget }) => goTo(currentTarget.valueAsNumber)}
        />
        <button type="button" aria-label="One step on" disabled={at >= last} onClick={() => goTo(at + 1)}>
          ›
        </button>
        <output>
          {at} / {last}
        </output>
      </div>
      <div class="life-columns">
        <ol class="steps">
          {steps.map((step) => {
            const stay = stayOf(step);
            return (
              <li key={step.seq}>
                <button
                  type="button"
                  class="step"
                  aria-current={step.seq === at ? 'step' : undefined}
                  onClick={() => goTo(step.seq)}
                >
                  <span class="step-seq">{step.seq}</span>
                  <span class="step-event">{step.event}</span>
                  <span class="step-to" data-state={step.to}>
                    {step.to}
                  </span>
                  <time dateTime={step.occurred_at} title={step.occurred_at}>
                    {clockTime(step.occurred_at)}
                  </time>
                  <span class="step-stay">{stay !== null && formatDuration(stay)}</span>
                </button>
              </li>
            );
          })}
        </ol>
        <div class="context">
          <h2>Context after step {at}</h2>
          <dl>
            {Object.entries(present.context).map(([name, value]) => (
              <div key={name} class={present.changed.has(name) ? 'is-changed' : ''}>
                <dt>{name}</dt>
                <dd>{value === null ? <i>null</i> : typeof value === 'string' ? value : JSON.stringify(value)}</dd>
              </div>
            ))}
          </dl>
        </div>
      </div>
    </div>
  );
}

function clockTime(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
  });
}
