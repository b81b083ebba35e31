import type { ComponentType } from 'preact';
import { useState } from 'preact/hooks';
import type { JobItem } from '../../client/responses.ts';
import { routeHash } from '../shared/route-hash.ts';

interface JobChartProps {
  readonly jobId: string;
}

/** The path of the job. The chart and its layout are loaded on demand. */
export function JobDetails({ job: { job_id: jobId, pipeline_id: pipelineId } }: { readonly job: JobItem }) {
  const [Chart, setChart] = useState<{ readonly is: ComponentType<JobChartProps> } | null>(null);
  const load = async (): Promise<void> => {
    const { JobChart } = await import('../inspector/job-chart.tsx');
    setChart({ is: JobChart });
  };
  return (
    <details class="job-details" onToggle={({ currentTarget }) => currentTarget.open && Chart === null && void load()}>
      <summary>Details</summary>
      <p class="job-ids">
        <span>{pipelineId}</span> <code>{jobId}</code> <a href={`inspector${routeHash({ jobId })}`}>Inspect its life</a>
      </p>
      {Chart !== null && <Chart.is jobId={jobId} />}
    </details>
  );
}
