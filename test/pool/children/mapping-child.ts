/** A child that maps far more than it uses before it is ready, as a future runtime might. */
import { answerService } from '../../../src/pool/child-door.ts';
import { noPictures } from './no-pictures.ts';

const MAPPED_BYTES = 1_000_000_000;
const mapped: ArrayBuffer[] = [];

answerService({
  ...noPictures,
  start: async () => ({ ffmpeg: 'none' }),
  warm: async () => {
    // Zeroed pages are mapped, not used.
    mapped.push(new ArrayBuffer(MAPPED_BYTES));
  },
  open: async () => {},
  next: async () => ({ decoded: 0, frames: [], done: true }),
});
