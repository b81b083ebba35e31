/** A child that allocates all memory it can get. */
import { answerService } from '../../../src/pool/child-door.ts';
import { noPictures } from './no-pictures.ts';

const hoard: Buffer[] = [];

answerService({
  ...noPictures,
  start: async () => ({ ffmpeg: 'none' }),
  warm: async () => {},
  open: async () => {},
  next: async () => {
    hoard.push(Buffer.alloc(8 * 1024 * 1024, 1));
    return { decoded: hoard.length, frames: [], done: false };
  },
});
