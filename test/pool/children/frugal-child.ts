/** A child that runs out of memory after two frames unless it has one thread and one frame at a time. */
import { ServiceError } from '../../../src/errors.ts';
import { answerService } from '../../../src/pool/child-door.ts';
import { noPictures } from './no-pictures.ts';

const FRAMES = 5;
let threads = 0;
let isFrugal = false;
let next = 0;

answerService({
  ...noPictures,
  start: async (request) => {
    threads = request.threads;
    return { ffmpeg: 'none' };
  },
  warm: async () => {},
  open: async (request) => {
    isFrugal = request.oneFrameAtATime && threads === 1;
  },
  next: async () => {
    if (!isFrugal && next === 2) throw new ServiceError('memory_limit', 'no more memory');
    const frame = { frame_index: next, result: { timestamp_ms: next } };
    next += 1;
    return { decoded: next, frames: [frame], done: next === FRAMES };
  },
});
