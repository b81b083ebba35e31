import type { JobSnapshot } from '../../machines/job.ts';
import type { Job, JobTransition } from '../job.ts';
import { persistSnapshot, SNAPSHOT_FORMAT } from './snapshot.ts';

/** The columns of a row that follow from its snapshot. `updatedAt` is ISO 8601 UTC. */
export function columnsOf(snapshot: JobSnapshot, updatedAt: string, machineVersion = SNAPSHOT_FORMAT.version) {
  const { attempt, outputPath, errorCode, errorMessage } = snapshot.context;
  return {
    status: snapshot.value,
    attempt,
    outputPath,
    errorCode,
    errorMessage,
    machineVersion,
    snapshot: persistSnapshot(snapshot),
    updatedAt,
  };
}

/** The transition that led to `job`. */
export function transitionOf(
  job: Omit<Job, 'acceptedSeq'>,
  fromState: JobTransition['fromState'],
  event: string,
  { context }: JobSnapshot,
): JobTransition {
  return {
    jobId: job.jobId,
    seq: job.revision,
    attempt: job.attempt,
    fromState,
    event,
    toState: job.status,
    context: JSON.stringify(context),
    occurredAt: job.updatedAt,
  };
}

/** Returns true for a final status. */
export function isFinal(status: Job['status']): boolean {
  return status === 'completed' || status === 'failed';
}
