import { ReelstateError } from '../client/reelstate-error.ts';
import { describeError } from './describe-error.ts';
import type { Terminal } from './terminal.ts';

/** Errors of one job; the next one may succeed. */
const JOB_ERRORS = new Set(['job_conflict', 'job_not_found']);

/** Calls `act` for each job. An error of one job is printed to stderr, and the next job follows. */
export async function eachJob(
  jobIds: readonly string[],
  terminal: Terminal,
  act: (jobId: string) => Promise<void>,
): Promise<void> {
  for (const jobId of jobIds) {
    try {
      await act(jobId);
    } catch (error) {
      if (!(error instanceof ReelstateError && JOB_ERRORS.has(error.code))) throw error;
      terminal.fail(`${jobId}: ${describeError(error)}`, 1);
    }
  }
}
