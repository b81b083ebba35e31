import { z } from 'zod';
import { JOB_MACHINE_VERSION, JOB_STATES, jobMachine, type JobContext, type JobSnapshot } from '../../machines/job.ts';
import { ServiceError } from '../errors.ts';
import type { Job } from '../job.ts';

/** Turns a persisted snapshot of one version of the job machine into one of the next version. */
export type Upgrade = (persisted: unknown) => unknown;

/**
 * One step per earlier version, by the version it starts from: `1: (persisted) => …` returns a snapshot of version 2.
 * To change the machine, raise JOB_MACHINE_VERSION, add the step, and add stored snapshots of the new version to
 * test/engine/stored-snapshots.ts.
 */
export const UPGRADES: Readonly<Record<number, Upgrade>> = {};

/** How snapshots are stored and read. Tests replace the version. */
export interface SnapshotFormat {
  readonly version: number;
  readonly upgrades: Readonly<Record<number, Upgrade>>;
  /** Parses a persisted snapshot of this version. Throws if it is invalid. */
  readonly parse: (persisted: unknown) => { readonly value: JobSnapshot['value']; readonly context: JobContext };
}

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

export const SNAPSHOT_FORMAT: SnapshotFormat = {
  version: JOB_MACHINE_VERSION,
  upgrades: UPGRADES,
  parse: (persisted) => persistedSchema.parse(persisted),
};

/** Returns the snapshot as JSON text, to be stored with its version. */
export function persistSnapshot(snapshot: JobSnapshot): string {
  return JSON.stringify(jobMachine.getPersistedSnapshot(snapshot));
}

/**
 * Returns the snapshot of a row, upgraded to the current version. XState only checks the name of the state, so the rest
 * is parsed here. Throws `schema_too_new` for a later version and `job_unreadable` for an invalid snapshot.
 */
export function restoreSnapshot(
  { jobId, machineVersion, snapshot }: Pick<Job, 'jobId' | 'machineVersion' | 'snapshot'>,
  { version: present, upgrades, parse }: SnapshotFormat = SNAPSHOT_FORMAT,
): JobSnapshot {
  if (machineVersion > present) {
    throw new ServiceError(
      'schema_too_new',
      `Job ${jobId} was stored by version ${machineVersion} of the job machine and this program knows versions up to ` +
        `${present}: run the program that stored it, or a later one`,
    );
  }
  try {
    let persisted: unknown = JSON.parse(snapshot);
    for (let version = machineVersion; version < present; version += 1) {
      const upgrade = upgrades[version];
      if (upgrade === undefined) throw new Error(`no step leads from version ${version} to ${version + 1}`);
      persisted = upgrade(persisted);
    }
    return jobMachine.resolveState(parse(persisted));
  } catch (cause) {
    throw new ServiceError('job_unreadable', `the snapshot of job ${jobId} cannot be read`, { cause });
  }
}
