import { ServiceError } from '../errors.ts';
import type { EncodedPicture } from '../pipeline/pictures.ts';
import { crashError } from './child-errors.ts';
import type { ChildHandle } from './child-handle.ts';
import type { LookRequest } from './protocol.ts';
import { Watch } from './watch.ts';

export interface ChildLookOptions {
  readonly child: ChildHandle;
  readonly request: LookRequest;
  readonly memoryBytes: number;
  readonly stallTimeoutMs: number;
  readonly signal: AbortSignal;
}

/** Requests pictures from a child. Kills it if the request is aborted, stalls, or needs too much memory. */
export async function* picturesFrom({
  child,
  request,
  ...limits
}: ChildLookOptions): AsyncGenerator<EncodedPicture, void> {
  using watch = new Watch({ child, ...limits });
  try {
    await watch.during(child.look(request));
    for (;;) {
      const reply = await watch.during(child.nextPictures());
      watch.note(reply.decoded, reply.pictures.length);
      yield* reply.pictures;
      if (reply.done) return;
    }
  } catch (error) {
    const crashed = error instanceof ServiceError && error.code === 'decoder_crashed';
    throw crashed && child.death !== undefined ? crashError(child.death, watch.nearLimit) : error;
  } finally {
    await child.clear();
  }
}
