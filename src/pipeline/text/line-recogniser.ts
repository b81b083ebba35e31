import type { LineCrop } from './line-crop.ts';

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
  /** Border that it needs around a line, as a share of the line's height. */
  readonly marginShare: number;
  /** Returns the text in a crop of one line, which has that border. Deterministic. */
  read(crop: LineCrop): Promise<ReadText>;
}
