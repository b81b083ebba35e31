import type { JobItem } from '../../client/responses.ts';

/** Marks that change the direction of what follows, and what cannot be seen. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu;

/** The file's name where it is known; else the end of the id: its beginning is a time, and looks alike in all. */
export function nameOfJob({ job_id: id, file_name: name }: Pick<JobItem, 'job_id' | 'file_name'>): string {
  const clean = (name ?? '').replaceAll(INVISIBLE, '').trim();
  return clean === '' ? `Video ${id.slice(-8)}` : clean;
}

/** A name that keeps to itself, in whatever direction it is written. */
export function JobName({ job }: { readonly job: Pick<JobItem, 'job_id' | 'file_name'> }) {
  return <bdi class="job-name">{nameOfJob(job)}</bdi>;
}
