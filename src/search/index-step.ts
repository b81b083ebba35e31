/** Points at which a crash can fall while the index changes. A test restarts at each of them. */
export const INDEX_STEPS = [
  'index: before commit of added videos',
  'index: videos added',
  'index: before commit of removed videos',
  'index: videos removed',
  'index: before commit of sorted postings',
] as const;
export type IndexStep = (typeof INDEX_STEPS)[number];

export type IndexStepListener = (step: IndexStep) => void;
