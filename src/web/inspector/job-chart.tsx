import { useMemo } from 'preact/hooks';
import type { MachineResponse, TransitionsResponse } from '../../client/responses.ts';
import { chartOf } from '../chart/machine-chart.ts';
import { usePoll } from '../shared/poll.ts';
import { lifeOf } from './job-life.ts';
import { JobPath } from './job-path.tsx';

/** The machine changes with the service's code alone. */
const SELDOM_MS = 60_000;
const EVERY_MS = 2_000;

/** The path of a job through its machine, updated. */
export function JobChart({ jobId }: { readonly jobId: string }) {
  const machine = usePoll<MachineResponse>('machines/job', SELDOM_MS).data;
  const { data } = usePoll<TransitionsResponse>(`video/jobs/${jobId}/transitions`, EVERY_MS);
  const chart = useMemo(() => machine && chartOf(machine.definition), [machine]);
  const steps = useMemo(() => lifeOf(data?.transitions ?? []), [data]);
  if (chart === undefined) return null;
  return <JobPath chart={chart} jobId={jobId} steps={steps} />;
}
