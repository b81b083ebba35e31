import type { ChildWork } from '../../../src/pool/child-door.ts';

/** Of a child that is asked for no pictures. */
export const noPictures: Pick<ChildWork, 'look' | 'nextPictures'> = {
  look: async () => {},
  nextPictures: async () => ({ decoded: 0, pictures: [], done: true }),
};
