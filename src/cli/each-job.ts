import { ReelstateError } from '../client/reelstate-error.ts';
import { describeError } from './describe-error.ts';
import type { Terminal } from './terminal.ts';

/** Refusals that are about one job and say nothing of the next. */
const ABOUT_THE_JOB = new Set(['job_conflict', 'job_not_found']);

/** Does something with each job; one that is refused is told on stderr, and the others have their turn all the same. */
export async function eachJob(
  jobIds: readonly string[],
  terminal: Terminal,
  act: (jobId: string) => Promise<void>,
): Promise<void> {
  for (const jobId of jobIds) {
    try {
      await act(jobId);
    } catch (error) {
      if (!(error instanceof ReelstateError && ABOUT_THE_JOB.has(error.code))) throw error;
      terminal.fail(`${jobId}: ${describeError(error)}`);
    }
  }
}
