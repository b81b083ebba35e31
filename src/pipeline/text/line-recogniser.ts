import type { RgbImage } from '../image-tensor.ts';

export interface ReadText {
  readonly text: string;
  /** Mean probability of the characters but spaces, 0 to 1; 0 when there are none. */
  readonly confidence: number;
  /** About how many letters were seen and not read. */
  readonly unread: number;
  /** Whether the line may have letters that the recogniser does not know. */
  readonly isUnsure: boolean;
}

/** Reads single lines of text. */
export interface LineRecogniser {
  /** Returns what is written in a crop that one line fills. The same crop gives the same text. */
  read(crop: RgbImage): Promise<ReadText>;
}
