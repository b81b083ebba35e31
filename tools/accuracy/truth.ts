import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { boxSchema } from '../../src/job.ts';
import { decodeFrames } from '../../src/pipeline/decode.ts';
import type { Frame } from '../../src/pipeline/frame.ts';
import { renderFrame } from '../rendered-frames.ts';
import { readPicture } from '../still-picture.ts';
import { TEXT_SCENES } from '../text-scenes.ts';

const caseSchema = z.strictObject({
  file: z.string().min(1).describe('A picture or MP4 file, relative to the folder'),
  frame: z.int().min(0).default(0).describe('Which frame of a video, from 0'),
  class: z.string().min(1).default('all').describe('Figures are given for each class'),
  lines: z
    .array(z.string().min(1))
    .optional()
    .describe('Every line of text that can be read; absent: text is not scored'),
  partial: z
    .boolean()
    .default(false)
    .describe('Whether there is more text than `lines` holds; other text is then not false'),
  ignore: z.array(z.string()).default([]).describe('Text that may be found but need not'),
  objects: z
    .array(z.strictObject({ label: z.string().min(1), bbox: boxSchema, crowd: z.boolean().default(false) }))
    .optional()
    .describe('Every object; `crowd` marks a box around many. Absent: objects are not scored'),
});
const truthSchema = z.strictObject({ frames: z.array(caseSchema).min(1) });

/** The true content of a frame. */
export type FrameTruth = Omit<z.infer<typeof caseSchema>, 'file' | 'frame'>;
export type TrueObject = NonNullable<FrameTruth['objects']>[number];

export interface AccuracyCase {
  readonly truth: FrameTruth;
  readonly frame: () => Frame;
}

/** Returns the frames of a folder's `truth.json`. Throws if it cannot be read or is invalid. */
export async function casesOfFolder(folder: string): Promise<AccuracyCase[]> {
  const { frames } = truthSchema.parse(JSON.parse(await readFile(join(folder, 'truth.json'), 'utf8')));
  return frames.map(({ file, frame, ...truth }) => ({ truth, frame: () => readFrame(join(folder, file), frame) }));
}

/** Drawn scenes with text, encoded with H.264. */
export function drawnCases(): AccuracyCase[] {
  return TEXT_SCENES.map(({ name, source, texts }) => {
    const lines = texts.map(({ text }) => text);
    return { truth: { class: name, lines, partial: false, ignore: [] }, frame: () => renderFrame(source, texts) };
  });
}

function readFrame(path: string, index: number): Frame {
  if (!/\.(?:mp4|mov|m4v)$/i.test(path)) return { index: 0, timestampMs: 0, ...readPicture(path) };
  // Frame 0 is always decoded, then the wanted one.
  for (const frame of decodeFrames(path, { frameStride: Math.max(1, index), maxFrames: 2 })) {
    if (frame.index === index) return frame;
  }
  throw new Error(`${path} has no frame ${index}`);
}
