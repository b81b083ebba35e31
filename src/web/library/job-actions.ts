import type { JobItem } from '../../client/responses.ts';
import { request } from '../shared/request.ts';

/** Actions on one or several jobs. */
export type JobAction = 'cancel' | 'rerun' | 'delete';

const REQUESTS: Readonly<Record<JobAction, (jobId: string) => readonly [method: string, path: string]>> = {
  cancel: (jobId) => ['POST', `video/cancel/${jobId}`],
  rerun: (jobId) => ['POST', `video/jobs/${jobId}/rerun`],
  delete: (jobId) => ['DELETE', `video/jobs/${jobId}`],
};

/** Returns true if the action is possible in the job's state. */
export function isPossible(action: JobAction, { status, deleted_at: deletedAt }: JobItem): boolean {
  const hasEnded = status === 'completed' || status === 'failed';
  return action === 'cancel' ? !hasEnded : hasEnded && deletedAt === null;
}

/** Runs it for one job after another. Resolves with the messages of the failed ones. */
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

/** Saves one file per job, like a download link. */
export function exportAll(jobs: readonly JobItem[], format: 'srt' | 'csv'): void {
  for (const { job_id: jobId } of jobs) {
    const link = document.createElement('a');
    link.href = `video/segments/${jobId}?format=${format}`;
    link.download = '';
    link.click();
  }
}
