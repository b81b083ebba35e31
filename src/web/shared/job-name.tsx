import type { JobItem } from '../../client/responses.ts';

/** Marks that change the direction of text, and invisible characters. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/gu;

/** Returns the name of the file if known, else the end of the id, because the beginnings look alike. */
export function nameOfJob({ job_id: id, file_name: name }: Pick<JobItem, 'job_id' | 'file_name'>): string {
  const clean = (name ?? '').replaceAll(INVISIBLE, '').trim();
  return clean === '' ? `Video ${id.slice(-8)}` : clean;
}

/** A name that is isolated from the direction of the surrounding text. */
export function JobName({ job }: { readonly job: Pick<JobItem, 'job_id' | 'file_name'> }) {
  return <bdi class="job-name">{nameOfJob(job)}</bdi>;
}
