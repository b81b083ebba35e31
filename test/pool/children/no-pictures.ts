import type { ChildWork } from '../../../src/pool/child-door.ts';

/** For a child without pictures. */
export const noPictures: Pick<ChildWork, 'look' | 'nextPictures'> = {
  look: async () => {},
  nextPictures: async () => ({ decoded: 0, pictures: [], done: true }),
};
