/**
 * Points at which a crash can fall, in order. A test restarts from the files at each of them. In production there is no
 * listener, so a step costs one optional call.
 */
export const STEPS = [
  'submit: video stored',
  'submit: sidecar stored',
  'submit: before commit',
  'submit: committed',
  'submit: queued',
  'START: before commit',
  'START: committed',
  'attempt: results stored',
  'attempt: segments stored',
  'attempt: thumbnails stored',
  'COMPLETE: before commit',
  'COMPLETE: committed',
  'COMPLETE: sidecar rewritten',
  'FAIL: before commit',
  'FAIL: committed',
  'FAIL: sidecar rewritten',
  'INTERRUPT: before commit',
  'INTERRUPT: committed',
  'INTERRUPT: queued',
  'INTERRUPT: sidecar rewritten',
  'RELEASE: before commit',
  'RELEASE: committed',
  'RELEASE: queued',
  'CANCEL: before commit',
  'CANCEL: committed',
  'CANCEL: sidecar rewritten',
  'cancelled attempt: before its results are deleted',
  'expire: committed',
  'expire: sidecar rewritten',
  'expire: results deleted',
  'expire: segments deleted',
  'expire: thumbnails deleted',
  'expire: input deleted',
  'reconcile: row restored',
  'reconcile: file set aside',
] as const;
export type Step = (typeof STEPS)[number];

export type StepListener = (step: Step) => void;
