import { problemText } from '../problem.ts';

export interface UploadOptions {
  readonly file: File;
  readonly pipelineId: string;
  /** As the user wrote them; empty ones are left out, so that the service's own defaults count. */
  readonly frameStride: string;
  readonly maxFrames: string;
  readonly signal: AbortSignal;
  readonly onProgress: (sentBytes: number) => void;
}

/**
 * Submits a video and resolves with the job's id. Rejects with an Error that says in the service's words why it was
 * refused. XMLHttpRequest, since `fetch` does not tell how much has been sent.
 */
export function upload({
  file,
  pipelineId,
  frameStride,
  maxFrames,
  signal,
  onProgress,
}: UploadOptions): Promise<string> {
  const query = new URLSearchParams({ pipeline_id: pipelineId });
  if (frameStride !== '') query.set('frame_stride', frameStride);
  if (maxFrames !== '') query.set('max_frames', maxFrames);
  const form = new FormData();
  form.set('file', file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const cancel = (): void => request.abort();
    signal.addEventListener('abort', cancel);
    request.upload.addEventListener('progress', ({ loaded }) => onProgress(Math.min(loaded, file.size)));
    request.addEventListener('loadend', () => signal.removeEventListener('abort', cancel));
    request.addEventListener('load', () => {
      if (request.status === 202) {
        const { job_id: jobId }: { readonly job_id: string } = JSON.parse(request.responseText);
        resolve(jobId);
      } else {
        reject(new Error(problemText(request.responseText, request.status)));
      }
    });
    request.addEventListener('error', () => reject(new Error('The connection broke before the service had answered')));
    request.addEventListener('abort', () => reject(new Error('The upload was cancelled')));
    request.open('POST', `/video/submit?${query}`);
    request.send(form);
  });
}
