import { ReelstateClient } from '../../client/reelstate-client.ts';
import { ReelstateError } from '../../client/reelstate-error.ts';
import { linkIs, onLink } from '../shared/link-state.ts';
import { BrokenConnectionError, UploadQueue, type UploadRequest } from './upload-queue.ts';

/** The uploads of this tab. They continue on every page of the library. */
export const uploads = new UploadQueue({ send, newKey });
onLink((state) => {
  if (state === 'up') uploads.reconnect();
});

async function send({ options, ...request }: UploadRequest): Promise<string> {
  try {
    const { jobId } = await new ReelstateClient({ url: '.' }).submit({ ...request, ...options });
    return jobId;
  } catch (error) {
    if (!(error instanceof ReelstateError) || error.code !== 'unreachable') throw error;
    // The next poll that succeeds repeats the upload.
    linkIs('down');
    throw new BrokenConnectionError('The connection broke.', { cause: error });
  }
}

/** `randomUUID` exists only on secure pages. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Closing the tab ends its uploads, so the browser asks first. */
addEventListener('beforeunload', (event) => {
  const isUnsent = uploads.store.value.items.some(({ state }) => ['sending', 'waiting', 'broken'].includes(state));
  if (isUnsent) event.preventDefault();
});
