import type { JobItem } from '../../client/responses.ts';
import { request } from '../shared/request.ts';

/** What can be done with jobs, one or many. */
export type JobAction = 'cancel' | 'rerun' | 'delete';

const REQUESTS: Readonly<Record<JobAction, (jobId: string) => readonly [method: string, path: string]>> = {
  cancel: (jobId) => ['POST', `video/cancel/${jobId}`],
  rerun: (jobId) => ['POST', `video/jobs/${jobId}/rerun`],
  delete: (jobId) => ['DELETE', `video/jobs/${jobId}`],
};

/** Whether an action makes sense for a job as it stands. */
export function isPossible(action: JobAction, { status, deleted_at: deletedAt }: JobItem): boolean {
  const hasEnded = status === 'completed' || status === 'failed';
  return action === 'cancel' ? !hasEnded : hasEnded && deletedAt === null;
}

/** Does it to one job after the other. Resolves with the messages of those that failed. */
export async function act(action: JobAction, jobs: readonly JobItem[]): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const job of jobs) {
    const [method, path] = REQUESTS[action](job.job_id);
    try {
      await request(path, { method });
    } catch (error) {
      problems.push(`${job.file_name ?? job.job_id}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return problems;
}

/** Saves one file for each job, as the browser saves what a link leads to. */
export function exportAll(jobs: readonly JobItem[], format: 'srt' | 'csv'): void {
  for (const { job_id: jobId } of jobs) {
    const link = document.createElement('a');
    link.href = `video/segments/${jobId}?format=${format}`;
    link.download = '';
    link.click();
  }
}
