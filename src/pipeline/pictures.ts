import { z } from 'zod';

import { decodeFrames, type DecodeOptions } from './decode.ts';
import { encodePicture, PICTURE_FORMATS } from './picture-encoder.ts';
import { decodeStill } from './still.ts';

/** The requested pictures of a video. */
export const pictureWishSchema = z.discriminatedUnion('kind', [
  z
    .object({
      kind: z.literal('thumbnails'),
      /** Presentation times of the frames in milliseconds, from an analysis. */
      timesMs: z.array(z.number()).readonly(),
      /** As in that analysis: true if it decoded only key frames. */
      keyframesOnly: z.boolean(),
      /** Maximum pixels of the longer side. */
      longestSide: z.int().min(1),
      /** Maximum total bytes; pictures beyond it are omitted. */
      maxBytes: z.int().min(0),
    })
    .readonly(),
  z
    .object({
      kind: z.literal('still'),
      /** The frame that a player shows at this time in milliseconds. */
      atMs: z.number(),
      format: z.enum(PICTURE_FORMATS),
    })
    .readonly(),
]);
export type PictureWish = z.infer<typeof pictureWishSchema>;

export const encodedPictureSchema = z.object({ timestampMs: z.number(), bytes: z.instanceof(Uint8Array) }).readonly();
/** A picture as JPEG or PNG bytes, and the time of its frame. */
export type EncodedPicture = z.infer<typeof encodedPictureSchema>;

type PictureOptions = Pick<DecodeOptions, 'limits' | 'extraDecoders' | 'onProgress'>;

/** Decodes and encodes the pictures in the order of their times. Blocks its thread and throws like `decodeSamples`. */
export function* encodePictures(
  path: string,
  wish: PictureWish,
  options: PictureOptions,
): Generator<EncodedPicture, void> {
  if (wish.kind === 'still') {
    const { timestampMs, picture } = decodeStill(path, wish.atMs, options);
    yield { timestampMs, bytes: encodePicture(picture, wish) };
    return;
  }
  const { timesMs, keyframesOnly, longestSide, maxBytes } = wish;
  let bytesLeft = maxBytes;
  for (const frame of decodeFrames(path, { ...options, keyframesOnly, timesMs })) {
    const bytes = encodePicture(frame, { format: 'jpeg', longestSide });
    if (bytes.length > bytesLeft) continue;
    bytesLeft -= bytes.length;
    yield { timestampMs: frame.timestampMs, bytes };
  }
}
