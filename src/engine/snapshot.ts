import { z } from 'zod';
import { JOB_MACHINE_VERSION, JOB_STATES, jobMachine, type JobSnapshot } from '../../machines/job.ts';
import { ServiceError } from '../errors.ts';
import type { Job } from '../job.ts';

const persistedSchema = z.object({
  value: z.enum(JOB_STATES),
  context: z.strictObject({
    attempt: z.int().min(0),
    interruptions: z.int().min(0),
    maxAttempts: z.int().min(1),
    outputPath: z.string().nullable(),
    errorCode: z.string().nullable(),
    errorMessage: z.string().nullable(),
  }),
});

/** The snapshot as JSON text, to be stored beside `machineVersion`. */
export function persistSnapshot(snapshot: JobSnapshot): string {
  return JSON.stringify(jobMachine.getPersistedSnapshot(snapshot));
}

/** The machine as it stood when the row was committed. XState checks the state's name alone, so the rest is parsed here. */
export function restoreSnapshot(job: Pick<Job, 'jobId' | 'machineVersion' | 'snapshot'>): JobSnapshot {
  if (job.machineVersion !== JOB_MACHINE_VERSION) {
    throw new ServiceError(
      'schema_too_new',
      `Job ${job.jobId} was stored by version ${job.machineVersion} of the job machine; this is version ${JOB_MACHINE_VERSION}`,
    );
  }
  return jobMachine.resolveState(persistedSchema.parse(JSON.parse(job.snapshot)));
}
