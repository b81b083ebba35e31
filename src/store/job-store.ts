import type { Condemnation, Condemned } from './condemn.ts';
import type { Job, JobId, JobSummary, JobStatus, JobTransition } from '../job.ts';

/** What a file's keeper must know of the job it belongs to. */
export interface JobRetentionState {
  readonly status: JobStatus;
  readonly expiredAt: string | null;
}

/** Which jobs are listed; what is absent lets every job pass. */
export interface JobFilter {
  readonly status?: JobStatus;
  readonly pipelineId?: string;
  readonly tag?: string;
  /** Only jobs whose file name contains this text, in any case. */
  readonly fileName?: string;
  /** Only jobs accepted before this one. */
  readonly beforeSeq?: number;
}

/** Where a job stands in the order of acceptance, and how often it was begun. */
export type JobPlace = Pick<Job, 'jobId' | 'acceptedSeq' | 'attempt'>;

/** What tells whether a submission is an earlier one again. */
export interface SubmissionKey {
  /** Who submits; the same key of another owner is another key. */
  readonly owner: string;
  /** Hex SHA-256 of the key that the owner gave the submission. */
  readonly keySha256: string;
  /** Hex SHA-256 of everything that was submitted. */
  readonly fingerprint: string;
}

/**
 * What can be read of jobs. Every method rejects with `store_unavailable` when the database does not answer; one that
 * reads a single job rejects with `job_unreadable` when its row is damaged, and one that reads many leaves it out.
 */
export interface JobReads {
  get(jobId: JobId): Promise<Job | undefined>;
  /** As `get`, without what costs the most to read: a thousand a second are no burden. */
  summary(jobId: JobId): Promise<JobSummary | undefined>;
  /** A job's transitions in order; empty for an unknown id. */
  transitionsOf(jobId: JobId): Promise<readonly JobTransition[]>;
  /** Jobs that pass the filter, the last accepted first, at most `limit`. */
  newest(filter: JobFilter, limit: number): Promise<readonly Job[]>;
  countByStatus(): Promise<Readonly<Record<JobStatus, number>>>;
  /** Another after every write, and after every opening; asks the database nothing. While it stays, so does every answer. */
  changeToken(): string;
  /** Resolves when the database answers. */
  ping(): Promise<void>;
}

/**
 * The only truth about a job's state. Every write is durable when its promise resolves (group commit, one fsync a batch).
 * A write with a value that does not fit its column rejects with `job_unwritable`, now and every time; the writes that
 * would have been committed with it are not affected.
 */
export interface JobStore extends JobReads {
  /**
   * Commits a new job with its first transition and gives it its place in the order of acceptance.
   * Promises resolve in that order. Rejects with `store_unavailable` when the commit failed; then nothing was written.
   * @param submission the key that the job was submitted with, if any; committed with it
   */
  insert(job: Omit<Job, 'acceptedSeq'>, transition: JobTransition, submission?: SubmissionKey): Promise<Job>;
  /** The job that was submitted with this key since that time (ISO 8601 UTC), and what was submitted. */
  submission(
    key: Pick<SubmissionKey, 'owner' | 'keySha256'>,
    since: string,
  ): Promise<{ readonly jobId: JobId; readonly fingerprint: string } | undefined>;
  /** Forgets the keys of submissions before this time (ISO 8601 UTC). */
  forgetSubmissions(before: string): Promise<void>;
  /**
   * Commits `next` and its transition if the stored revision is still `next.revision - 1`; false, and nothing written, where it is not.
   * What only the end of a job sets (its output path and its error) is null in every `next` before that.
   * Rejects with `store_unavailable` when the commit failed; then nothing was written.
   */
  save(next: Job, transition: JobTransition): Promise<boolean>;
  /**
   * Ends a job whose row cannot be read, without reading it as a job: see `job_unreadable`. Undefined, and nothing
   * written, where it has ended or is not known.
   */
  condemn(condemnation: Condemnation): Promise<Condemned | undefined>;
  /** Commits a job's `expiredAt`: no transition, no new revision, and a time that was committed before stays. */
  expire(job: Job): Promise<void>;
  /** Jobs in this status whose `acceptedSeq` is greater than `afterSeq`, in order of acceptance, at most `limit`. */
  page(status: JobStatus, afterSeq: number, limit: number): Promise<readonly Job[]>;
  /** Where the jobs in this status stand, in order of acceptance. Reads no more than that: cheap up to 10,000. */
  placesIn(status: JobStatus, afterSeq: number, limit: number): Promise<readonly JobPlace[]>;
  /** Of those ids that are known, in one statement; some thousand at once are no burden. */
  retentionStatesOf(jobIds: readonly JobId[]): Promise<ReadonlyMap<JobId, JobRetentionState>>;
  /** Jobs that have ended, the last to end first. */
  lastEnded(limit: number): Promise<readonly Job[]>;
  /** Jobs that ended before this time (ISO 8601 UTC) and still have their files, the first to end first. */
  endedBefore(time: string, limit: number): Promise<readonly JobId[]>;
  /** Jobs that ended before this time (ISO 8601 UTC), the first to end first. */
  forgettable(time: string, limit: number): Promise<readonly JobId[]>;
  /** Deletes the rows of these jobs, their transitions and the keys that they were submitted with. */
  forget(jobIds: readonly JobId[]): Promise<void>;
  /** Waits for the writes in hand, writes a checkpoint and closes. Nothing may be called afterwards. */
  close(): Promise<void>;
}
