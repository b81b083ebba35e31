import type { FailureCode } from '../../src/errors.ts';

interface Explanation {
  readonly means: string;
  readonly remedy: string;
}

/** Every `error_code` of a failed job, with its meaning and remedy. */
export const FAILURES: Readonly<Record<FailureCode, Explanation>> = {
  invalid_video: {
    means: 'The file has nothing to show: no video track, an unknown codec, or no complete frame',
    remedy: 'Check that it plays; encode it again, for example `ffmpeg -i in.mp4 -c:v libx264 out.mp4`',
  },
  too_large: {
    means: 'The video or its results exceed [a limit](HOSTILE_VIDEOS.md#limits), which the message names',
    remedy: 'Raise the setting, set `keyframes_only` or `sample_every_ms`, or shorten or scale the video',
  },
  decoder_crashed: {
    means: 'The child process crashed in every attempt',
    remedy:
      '`analysis failed` in the log has the signal and the last output. SIGKILL usually comes from the out-of-memory killer: check `dmesg`, lower `WORKER_CONCURRENCY` or `PIPELINE_THREADS`. Report other signals',
  },
  memory_limit: {
    means: 'The analysis needs more than `CHILD_MEMORY_BYTES`, even with one inference thread and one frame at a time',
    remedy:
      'Raise `CHILD_MEMORY_BYTES` ([sizing](DEPLOYING.md#sizing)), lower the `detection_side` of the pipeline, or scale the video down',
  },
  stalled: {
    means: 'No frame was decoded or analysed for `STALL_TIMEOUT_MS`, twice at the same place or in every attempt',
    remedy: 'If the machine was overloaded, submit the video again; else raise the setting',
  },
  timeout: {
    means: 'An attempt took longer than `JOB_TIMEOUT_MS`. A retry would take as long',
    remedy: 'Raise `frame_stride`, set `max_frames`, or raise the setting',
  },
  cancelled: { means: 'A client cancelled the job', remedy: '' },
  interrupted: {
    means: 'The service was killed in every attempt. A clean stop does not count',
    remedy: 'Find the cause in the logs of the service and the system (out of memory?), then submit the video again',
  },
  input_missing: {
    means: 'The stored video is missing or cannot be opened',
    remedy: 'Submit the video again. Only the service may change files under `DATA_DIR`',
  },
  storage_full: {
    means: 'Ten times in a row, the results did not fit on the disk while other jobs ended',
    remedy: 'Free space on the disk of `DATA_DIR`, then submit the video again',
  },
  storage_unavailable: {
    means: 'Ten times in a row, files of the job could not be read or written while other jobs ended',
    remedy: 'Find the reason in the log by the `job_id`, repair it, then submit the video again',
  },
  child_unavailable: {
    means: 'Ten times in a row, no child process could be started for the job while other jobs ended',
    remedy: 'Find the reason in the log by the `job_id`; free memory or processes, then submit the video again',
  },
  internal: {
    means: 'A defect, a damaged row of the job, or a pipeline whose file was removed',
    remedy: 'Search the log for the `job_id`',
  },
};
