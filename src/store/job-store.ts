import type { Job, JobId, JobSummary, JobStatus, JobTransition } from '../job.ts';

/** The state of a job as far as the retention of its files depends on it. */
export interface JobRetentionState {
  readonly status: JobStatus;
  readonly expiredAt: string | null;
}

/** Filter of listed jobs. An absent field matches every job. */
export interface JobFilter {
  readonly status?: JobStatus;
  readonly pipelineId?: string;
  readonly tag?: string;
  /** Only jobs whose file name contains this text, ignoring case. */
  readonly fileName?: string;
  /** Only jobs accepted before this one. */
  readonly beforeSeq?: number;
}

/** The position of a job in the order of acceptance, and its number of attempts. */
export type JobPlace = Pick<Job, 'jobId' | 'acceptedSeq' | 'attempt'>;

/** Median and 95th percentile by nearest rank, in milliseconds. */
export interface Spread {
  readonly p50: number;
  readonly p95: number;
}

/** The jobs that ended in some period. */
export interface JobEnds {
  readonly completed: number;
  /** Number of failed jobs by error code. */
  readonly failed: Readonly<Record<string, number>>;
  /** From acceptance to the first start; null if none was started. */
  readonly waitMs: Spread | null;
  /** From the last start to the end; null if none was started. */
  readonly runMs: Spread | null;
}

/** Identifies a repeated submission. */
export interface SubmissionKey {
  /** The submitter. Equal keys of different owners are different keys. */
  readonly owner: string;
  /** Hex SHA-256 of the idempotency key. */
  readonly keySha256: string;
  /** Hex SHA-256 of the whole submission. */
  readonly fingerprint: string;
}

/** The end of a job whose row cannot be read: the columns of its last row and the context of its last transition. */
export interface Condemnation extends Pick<
  Job,
  'jobId' | 'status' | 'errorCode' | 'errorMessage' | 'machineVersion' | 'snapshot' | 'updatedAt'
> {
  readonly context: string;
}

/** What `condemn` replaced in the row, and the transition that it wrote. */
export interface Condemned {
  /** The replaced values of the row. */
  readonly before: {
    readonly options: string | null;
    readonly snapshot: string | null;
    readonly machineVersion: unknown;
  };
  readonly transition: JobTransition;
}

/**
 * Reads of jobs. Every method rejects with `store_unavailable` if the database does not respond. A method for one job
 * rejects with `job_unreadable` if its row is damaged; a method for many omits the row.
 */
export interface JobReads {
  get(jobId: JobId): Promise<Job | undefined>;
  /** Like `get` without the most expensive columns. Cheap at a thousand calls per second. */
  summary(jobId: JobId): Promise<JobSummary | undefined>;
  /** Returns the transitions of a job in order; empty for an unknown id. */
  transitionsOf(jobId: JobId): Promise<readonly JobTransition[]>;
  /** Returns at most `limit` matching jobs, newest first. */
  newest(filter: JobFilter, limit: number): Promise<readonly Job[]>;
  countByStatus(): Promise<Readonly<Record<JobStatus, number>>>;
  /** Summarises the jobs that ended at or after this time (ISO 8601 UTC). One statement. */
  endsSince(time: string): Promise<JobEnds>;
  /** Returns the latest transitions of all jobs, oldest first. */
  latestTransitions(limit: number): Promise<readonly JobTransition[]>;
  /**
   * Returns a value that changes with every write and every opening, without reading the database. While it is equal,
   * every read returns the same.
   */
  changeToken(): string;
  /** Resolves if the database responds. */
  ping(): Promise<void>;
}

/**
 * The only truth about the state of jobs. A write is durable when its promise resolves (group commit, one fsync per
 * batch). A write with a value that does not fit its column always rejects with `job_unwritable`; other writes of its
 * batch are not affected.
 */
export interface JobStore extends JobReads {
  /**
   * Commits a new job with its first transition and assigns its place in the order of acceptance. Promises resolve in
   * that order. Rejects with `store_unavailable` if the commit failed; then nothing was written.
   * @param submission the idempotency key of the submission, if any; committed with the job
   */
  insert(job: Omit<Job, 'acceptedSeq'>, transition: JobTransition, submission?: SubmissionKey): Promise<Job>;
  /** Returns the job submitted with this key since that time (ISO 8601 UTC), and its fingerprint. */
  submission(
    key: Pick<SubmissionKey, 'owner' | 'keySha256'>,
    since: string,
  ): Promise<{ readonly jobId: JobId; readonly fingerprint: string } | undefined>;
  /** Deletes the keys of submissions before this time (ISO 8601 UTC). */
  forgetSubmissions(before: string): Promise<void>;
  /**
   * Commits `next` and its transition if the stored revision is `next.revision - 1`; otherwise resolves with false and
   * writes nothing. The output path and the error must be null in every `next` before the end of the job. Rejects with
   * `store_unavailable` if the commit failed; then nothing was written.
   */
  save(next: Job, transition: JobTransition): Promise<boolean>;
  /**
   * Ends a job whose row cannot be read (`job_unreadable`). Resolves with undefined and writes nothing if the job has
   * ended or is unknown.
   */
  condemn(condemnation: Condemnation): Promise<Condemned | undefined>;
  /** Commits `expiredAt` without a transition or a new revision. Keeps an earlier time. */
  expire(job: Job): Promise<void>;
  /** Returns at most `limit` jobs in this status with `acceptedSeq` above `afterSeq`, in order of acceptance. */
  page(status: JobStatus, afterSeq: number, limit: number): Promise<readonly Job[]>;
  /** Returns the positions of the jobs in this status in order of acceptance. Cheap up to 10,000. */
  placesIn(status: JobStatus, afterSeq: number, limit: number): Promise<readonly JobPlace[]>;
  /** Returns those of the ids that are known. One statement; cheap for some thousand ids. */
  retentionStatesOf(jobIds: readonly JobId[]): Promise<ReadonlyMap<JobId, JobRetentionState>>;
  /** Returns ended jobs, the latest end first. */
  lastEnded(limit: number): Promise<readonly Job[]>;
  /** Returns jobs that ended before this time (ISO 8601 UTC) and still have their files, the earliest end first. */
  endedBefore(time: string, limit: number): Promise<readonly JobId[]>;
  /** Returns jobs that ended before this time (ISO 8601 UTC), the earliest end first. */
  forgettable(time: string, limit: number): Promise<readonly JobId[]>;
  /** Deletes the rows, transitions and idempotency keys of these jobs. */
  forget(jobIds: readonly JobId[]): Promise<void>;
  /** Waits for current writes, writes a checkpoint and closes. No method may be called afterwards. */
  close(): Promise<void>;
}
