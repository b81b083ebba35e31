/** A child that reports an error and ends before it is ready. */
import { answerService } from '../../../src/pool/child-door.ts';
import { noPictures } from './no-pictures.ts';

answerService({
  ...noPictures,
  start: async () => {
    process.stderr.write('the machine has no such instruction\n');
    process.exit(7);
  },
  warm: async () => {},
  open: async () => {},
  next: async () => ({ decoded: 0, frames: [], done: true }),
});
