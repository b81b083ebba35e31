/** A child that lives, does nothing, and is never ready. */
import { answerService } from '../../../src/pool/child-door.ts';
import { noPictures } from './no-pictures.ts';

answerService({
  ...noPictures,
  start: async () => new Promise(() => {}),
  warm: async () => {},
  open: async () => {},
  next: async () => ({ decoded: 0, frames: [], done: true }),
});
