import { ReelstateClient } from '../../client/reelstate-client.ts';
import { ReelstateError } from '../../client/reelstate-error.ts';
import { UploadQueue, type UploadRequest } from './upload-queue.ts';

/** The uploads of this tab. They continue on every page of the library. */
export const uploads = new UploadQueue({ send, newKey });

async function send({ options, ...request }: UploadRequest): Promise<string> {
  try {
    const { jobId } = await new ReelstateClient({ url: '.' }).submit({ ...request, ...options });
    return jobId;
  } catch (error) {
    if (!(error instanceof ReelstateError) || error.code !== 'unreachable') throw error;
    throw new Error('The connection broke. Try again: the video is not analysed twice.', { cause: error });
  }
}

/** `randomUUID` exists only on secure pages. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Closing the tab ends its uploads, so the browser asks first. */
addEventListener('beforeunload', (event) => {
  if (uploads.store.value.items.some(({ state }) => state === 'sending' || state === 'waiting')) event.preventDefault();
});
