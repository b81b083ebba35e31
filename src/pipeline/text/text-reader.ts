import { createHash } from 'node:crypto';
import type { Region, RgbImage } from '../image-tensor.ts';
import type { Model, ModelSessions } from '../models/model-sessions.ts';
import { levelCrop, stripCrop, withoutMargin, type LineCrop } from './line-crop.ts';
import type { LineRecogniser, ReadText } from './line-recogniser.ts';
import { packagedTextFile } from './packaged-text-file.ts';
import { areaOf, sharedArea } from './regions.ts';
import { findText, type TextBox, type TextDetectorOptions } from './text-detector.ts';
import { isUpsideDown, upsideDown } from './text-orientation.ts';
import { isStanding, stripCorners, type TextStrip } from './text-strip.ts';
import { quarterTurned, type Point } from './turned-rectangle.ts';

/** A piece of text and its position in pixels of the image. */
export interface TextPiece extends ReadText {
  readonly box: Region;
  /** Of text that is not level: its corners, clockwise from the top left of its first letter. */
  readonly corners?: readonly Point[];
}

interface TextReaderParts {
  readonly detector: Model;
  readonly recogniser: LineRecogniser;
  readonly orientation: Model;
}

/** Cached texts of crops that appear again unchanged, as captions and slides do; some hundred bytes each. */
const REMEMBERED_CROPS = 2048;
/** Confidence above which a reading is accepted. */
const SURE = 0.8;
/** Text that leans by more than 45° may run in either direction. */
const STEEP = Math.PI / 4 + 1e-9;

/** Reads the text of images: a network of PP-OCRv4 detects it, a recogniser reads each piece. */
export class TextReader {
  readonly #detector: Model;
  readonly #recogniser: LineRecogniser;
  readonly #orientation: Model;
  /** By the SHA-256 of the crop's size and pixels; a Map keeps insertion order, so its first key is the oldest used. */
  readonly #known = new Map<string, ReadText>();

  private constructor(parts: TextReaderParts) {
    this.#detector = parts.detector;
    this.#recogniser = parts.recogniser;
    this.#orientation = parts.orientation;
  }

  static async open(sessions: ModelSessions, recogniser: LineRecogniser): Promise<TextReader> {
    const detector = await sessions.packaged(packagedTextFile('ch_PP-OCRv4_det_infer.onnx'));
    const orientation = await sessions.packaged(packagedTextFile('ch_ppocr_mobile_v2.0_cls_infer.onnx'));
    return new TextReader({ detector, recogniser, orientation });
  }

  /** Returns the pieces of text in the regions, each once, in no particular order. */
  async read(image: RgbImage, regions: readonly Region[], options: TextDetectorOptions): Promise<TextPiece[]> {
    const boxes: TextBox[] = [];
    for (const region of regions) boxes.push(...(await findText(this.#detector, image, region, options)));
    return this.readBoxes(image, regions.length > 1 ? withoutRepeats(boxes) : boxes);
  }

  /** Returns the text of each box, which depends only on the pixels of that box. */
  async readBoxes(image: RgbImage, boxes: readonly TextBox[]): Promise<TextPiece[]> {
    const pieces: TextPiece[] = [];
    for (const { bounds, strip } of boxes) {
      if (strip) {
        const read = await this.#readStrip(image, strip);
        pieces.push({ ...read, box: bounds, corners: stripCorners(isStanding(strip) ? quarterTurned(strip) : strip) });
      } else {
        pieces.push({ ...(await this.#readCrop(levelCrop(image, bounds, this.#recogniser.marginShare))), box: bounds });
      }
    }
    return pieces;
  }

  /** Reads a levelled strip. A vertical one is read from both ends, and the more confident reading is kept. */
  async #readStrip(image: RgbImage, strip: TextStrip): Promise<ReadText> {
    const lying = isStanding(strip) ? quarterTurned(strip) : strip;
    const crop = stripCrop(image, lying, this.#recogniser.marginShare);
    if (Math.abs(lying.angle) <= STEEP) return this.#readCrop(crop);
    const down = await this.#readOnce(crop);
    const up = await this.#readOnce({ ...upsideDown(crop), margin: crop.margin });
    return up.confidence > down.confidence ? up : down;
  }

  /** Reads a crop, and reads it rotated by 180° as well if that is unsure and looks upside down. */
  async #readCrop(crop: LineCrop): Promise<ReadText> {
    const read = await this.#readOnce(crop);
    if (read.confidence >= SURE || !(await isUpsideDown(this.#orientation, withoutMargin(crop)))) return read;
    const turned = await this.#readOnce({ ...upsideDown(crop), margin: crop.margin });
    return turned.confidence > read.confidence ? turned : read;
  }

  async #readOnce(crop: LineCrop): Promise<ReadText> {
    const key = createHash('sha256').update(`${crop.width} `).update(crop.rgb).digest('base64');
    const known = this.#known.get(key);
    const read = known ?? (await this.#recogniser.read(crop));
    this.#known.delete(key);
    this.#known.set(key, read);
    if (this.#known.size > REMEMBERED_CROPS) {
      const [oldest] = this.#known.keys();
      if (oldest !== undefined) this.#known.delete(oldest);
    }
    return read;
  }
}

/** Regions may overlap and find the same text: of two boxes that share half of the smaller one, the larger is kept. */
function withoutRepeats(boxes: readonly TextBox[]): TextBox[] {
  const kept: TextBox[] = [];
  for (const box of boxes.toSorted((a, b) => areaOf(b.bounds) - areaOf(a.bounds))) {
    if (!kept.some((other) => sharedArea(box.bounds, other.bounds) > 0.5 * areaOf(box.bounds))) kept.push(box);
  }
  return kept;
}
