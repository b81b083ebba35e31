import type { JobItem } from '../../client/responses.ts';

/** Short reason of a failure, and advice for the user. */
export interface Remedy {
  readonly title: string;
  readonly advice: string;
  /** True if another analysis of the same video may succeed. */
  readonly mayRerun: boolean;
}

/** By `error_code`. Those of the service pass with time, or concern its operator. */
const REMEDIES: Readonly<Record<string, Remedy>> = {
  invalid_video: {
    title: 'Not a readable video',
    advice: 'Check that it plays elsewhere. Convert it to MP4 with H.264 and upload it again.',
    mayRerun: false,
  },
  too_large: {
    title: 'Too much for one job',
    advice: 'Analyse fewer frames or a shorter part, or upload the video in a smaller size.',
    mayRerun: true,
  },
  memory_limit: {
    title: 'Needed too much memory',
    advice: 'Upload the video in a smaller size, or run it again when the machine is less busy.',
    mayRerun: true,
  },
  timeout: {
    title: 'Took too long',
    advice: 'Analyse fewer frames, such as one a second, or a shorter part.',
    mayRerun: true,
  },
  stalled: { title: 'Came to a halt', advice: 'Run it again. If it halts again, convert the video.', mayRerun: true },
  decoder_crashed: {
    title: 'The decoder crashed',
    advice: 'The file may be damaged. Convert it and upload it again, or run it again.',
    mayRerun: true,
  },
  cancelled: { title: 'Cancelled', advice: 'Run it again to get its results.', mayRerun: true },
  interrupted: {
    title: 'Interrupted',
    advice: 'The service stopped too often meanwhile. Run it again.',
    mayRerun: true,
  },
  input_missing: {
    title: 'The video is gone',
    advice: 'Its file is no longer stored. Upload it again.',
    mayRerun: false,
  },
  storage_full: {
    title: 'The disk is full',
    advice: 'Delete videos that are no longer needed, then run it again.',
    mayRerun: true,
  },
};
const OTHER: Remedy = {
  title: 'The service failed',
  advice: 'Run it again. If it fails again, tell the operator of the service.',
  mayRerun: true,
};

/** Null for a job that did not fail. */
export function remedyOf({ status, error_code: code = '' }: Pick<JobItem, 'status' | 'error_code'>): Remedy | null {
  if (status !== 'failed') return null;
  return REMEDIES[code] ?? OTHER;
}
