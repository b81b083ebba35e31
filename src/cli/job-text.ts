import type { MachineResponse, TransitionsResponse } from '../client/responses.ts';
import { chartOf } from '../web/chart/machine-chart.ts';
import { formatDuration } from '../web/duration.ts';
import { printable } from './printable.ts';

/** Returns the chart of the job machine with the state and path of one job, and the path as a table. */
export function jobText(machine: MachineResponse, { job, transitions: steps }: TransitionsResponse): string {
  const { root, transitions } = chartOf(machine.definition);
  const nameOf = (id: string): string => id.slice(root.id.length + 1);
  const facts = [`Job ${job.job_id}`, job.pipeline_id, job.status];
  const error = job.error_code === undefined ? [] : [printable(`  ${job.error_code}: ${job.error_message ?? ''}`)];
  const chart = root.children.flatMap((state) => {
    const mark = state.name === job.status ? '●' : steps.some(({ to }) => to === state.name) ? '○' : ' ';
    const rows = transitions
      .filter(({ source }) => source === state.id)
      .map((transition) => {
        const target = nameOf(transition.target);
        const times = steps.filter(
          ({ from, event, to }) => from === state.name && event === transition.event && to === target,
        ).length;
        const { event, guard } = transition;
        const label = guard === '' ? event : `${event} [${guard}]`;
        const row = `      ${label.padEnd(30)} → ${target}`;
        return times === 0 ? row : `${row.padEnd(52)} × ${times}`;
      });
    return [`  ${mark} ${state.name}${state.kind === 'final' ? ' (final)' : ''}`, ...rows];
  });
  const path = steps.map(({ seq, attempt, from, event, to, occurred_at: at }, index) => {
    const next = steps[index + 1];
    const stay = next === undefined ? '' : formatDuration(Date.parse(next.occurred_at) - Date.parse(at));
    const step = `${String(seq).padStart(3)}  ${at}  attempt ${attempt}  ${event.padEnd(10)} ${from ?? ''} → ${to}`;
    return `${step.padEnd(80)} ${stay}`.trimEnd();
  });
  const lines = [facts.join(' · '), ...error, '', ...chart, '', ...path];
  return `${lines.join('\n')}\n`;
}
