/** A child that works for some seconds before it is ready. */
import { answerService } from '../../../src/pool/child-door.ts';
import { noPictures } from './no-pictures.ts';

/** CPU time in milliseconds, so that the child makes progress on a busy machine too. */
const WORK_MS = 3000;

answerService({
  ...noPictures,
  start: async () => {
    for (let used = 0; used < WORK_MS * 1000;) {
      const { user, system } = process.cpuUsage();
      used = user + system;
    }
    return { ffmpeg: 'none' };
  },
  warm: async () => {},
  open: async () => {},
  next: async () => ({ decoded: 0, frames: [], done: true }),
});
