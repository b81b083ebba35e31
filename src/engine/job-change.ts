import type { JobSnapshot } from '../../machines/job.ts';
import type { Job, JobTransition } from '../job.ts';
import { persistSnapshot, SNAPSHOT_FORMAT } from './snapshot.ts';

/** The columns of a row that its snapshot decides. `updatedAt` is ISO 8601 UTC. */
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

/** The transition that made `job` what it is. */
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

/** True of a status that no event leaves. */
export function isFinal(status: Job['status']): boolean {
  return status === 'completed' || status === 'failed';
}
