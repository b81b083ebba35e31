/** A child whose main thread never returns from a job. */
import { answerService } from '../../../src/pool/child-door.ts';
import { noPictures } from './no-pictures.ts';

answerService({
  ...noPictures,
  start: async () => ({ ffmpeg: 'none' }),
  warm: async () => {},
  open: async () => {
    for (;;);
  },
  next: async () => ({ decoded: 0, frames: [], done: true }),
});
