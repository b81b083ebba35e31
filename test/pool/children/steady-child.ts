/** A child with endless frames. */
import { answerService } from '../../../src/pool/child-door.ts';
import { noPictures } from './no-pictures.ts';

let given = 0;

answerService({
  ...noPictures,
  start: async () => ({ ffmpeg: 'none' }),
  warm: async () => {},
  open: async () => {},
  next: async () => {
    const frame = { frame_index: given, result: { timestamp_ms: given } };
    given += 1;
    return { decoded: given, frames: [frame], done: false };
  },
});
