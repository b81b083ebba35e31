import type { JobId } from '../../job.ts';

interface NamedVideo {
  readonly jobId: JobId;
  readonly fileName: string | null;
}

/** Returns the name of a file made from a video: the video's name without its extension, else the job id, and `ending`. */
export function downloadName({ jobId, fileName }: NamedVideo, ending: string): string {
  const stem = (fileName ?? '').replace(/\.[A-Za-z0-9]{1,8}$/, '');
  return `${stem === '' ? jobId : stem}${ending}`;
}
