import type { FailureCode } from '../../src/errors.ts';

/** What an error code of a job means, and what can be done about it. */
interface Explanation {
  readonly means: string;
  readonly remedy: string;
}

/** `error_code` of a failed job. */
export const FAILURES: Readonly<Record<FailureCode, Explanation>> = {
  invalid_video: {
    means: 'There is nothing in the file that can be shown: no video track, a codec that is not known, no whole frame',
    remedy: 'Play it; encode it anew, for example `ffmpeg -i in.mp4 -c:v libx264 out.mp4`',
  },
  too_large: {
    means: 'A limit was crossed; the message names it',
    remedy: 'Cut or scale the video, sample fewer frames, or raise the limit',
  },
  decoder_crashed: {
    means: 'The process that analysed the video died, in as many attempts as a job has',
    remedy: 'Submit it again once; if it fails again, report it: the log has what the process printed',
  },
  memory_limit: {
    means: 'The analysis needed more than `CHILD_MEMORY_BYTES`, even with one inference thread and one frame at a time',
    remedy: 'Raise `CHILD_MEMORY_BYTES`, lower the `detection_side` of the pipeline, or scale the video down',
  },
  stalled: {
    means: 'No frame was decoded and none analysed for `STALL_TIMEOUT_MS`, in as many attempts as a job has',
    remedy: 'See whether the machine was overloaded; submit it again, or raise the setting',
  },
  timeout: {
    means: 'One attempt took longer than `JOB_TIMEOUT_MS`',
    remedy: 'Raise `frame_stride`, set `max_frames`, or raise the setting',
  },
  cancelled: { means: 'The job was given up by its owner', remedy: 'Submit the video again if it was a mistake' },
  interrupted: {
    means: 'The service died while the job was running, in as many attempts as a job has',
    remedy: 'See in the log and with the system why it died (out of memory?), then submit the video again',
  },
  input_missing: {
    means: 'The stored video is gone or cannot be opened',
    remedy: 'Nothing but the service may change files under `DATA_DIR`; submit the video again',
  },
  storage_full: {
    means: 'The disk was full again and again when the results were saved, while other jobs completed',
    remedy: 'Make room on the disk of `DATA_DIR`, then submit the video again',
  },
  storage_unavailable: {
    means: 'Files of this job could not be read or written again and again, while other jobs completed',
    remedy:
      'The log has the reason under the `job_id`; repair the disk or the rights of the files, then submit it again',
  },
  child_unavailable: {
    means: 'No process could be started for this job again and again, while other jobs completed',
    remedy: 'The log has the reason under the `job_id`; free memory and processes, then submit it again',
  },
  internal: {
    means: 'A defect of the service, a damaged row of the job, or a pipeline that is no longer there',
    remedy: 'The log has the reason under the `job_id`',
  },
};
