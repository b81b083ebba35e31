import type { TextLine } from '../../job.ts';
import type { TextPiece } from './text-reader.ts';
import type { Point } from './turned-rectangle.ts';

// Two pieces are in one row if their centres differ by less than half of the lower one's height. They belong to one
// line if the gap between them is at most this many heights, which joins words but not columns of a table.
const SAME_ROW = 0.5;
const WIDEST_GAP = 1.5;
/** Slope of a piece that leans by 4 degrees. */
const SLIGHT_LEAN = 0.07;

/**
 * Joins level pieces of text to lines; any other piece is its own line. From top to bottom and left to right.
 * Confidences have 3 decimals, corners 1.
 */
export function textLines(pieces: readonly TextPiece[]): TextLine[] {
  const all = rows(pieces.filter(isLevel)).flatMap((row) => lines(row).map(joined));
  const turned = pieces.filter((piece) => !isLevel(piece)).map((piece) => joined([piece]));
  // Level lines keep their order, because the centres of one row differ a little.
  for (const line of turned.toSorted((a, b) => middleOf(a) - middleOf(b) || a.bbox[0] - b.bbox[0])) {
    const at = all.findIndex((other) => middleOf(other) > middleOf(line));
    all.splice(at === -1 ? all.length : at, 0, line);
  }
  return all;
}

/** A descender at the end makes a short word lean, so a small slope does not prevent joining. */
function isLevel({ corners }: TextPiece): boolean {
  const [[ax, ay] = [0, 0], [bx, by] = [1, 0]] = corners ?? [];
  return Math.abs(by - ay) <= SLIGHT_LEAN * (bx - ax);
}

function middleOf({ bbox: [, top, , height] }: TextLine): number {
  return top + height / 2;
}

function rounded(corners: readonly Point[]): [number, number][] {
  return corners.map(([x, y]) => [Math.round(x * 10) / 10, Math.round(y * 10) / 10]);
}

function rows(pieces: readonly TextPiece[]): TextPiece[][] {
  const found: TextPiece[][] = [];
  for (const piece of pieces.toSorted((a, b) => middle(a) - middle(b) || a.box.x - b.box.x)) {
    const row = found.find(([first]) => first && sameRow(first, piece));
    if (row) row.push(piece);
    else found.push([piece]);
  }
  return found;
}

function lines(row: readonly TextPiece[]): TextPiece[][] {
  const found: TextPiece[][] = [];
  for (const piece of row.toSorted((a, b) => a.box.x - b.box.x)) {
    const line = found.at(-1);
    const last = line?.at(-1);
    if (line && last && gap(last, piece) <= WIDEST_GAP * Math.min(last.box.height, piece.box.height)) line.push(piece);
    else found.push([piece]);
  }
  return found;
}

function joined(pieces: readonly TextPiece[]): TextLine {
  const left = Math.min(...pieces.map(({ box }) => box.x));
  const top = Math.min(...pieces.map(({ box }) => box.y));
  const right = Math.max(...pieces.map(({ box }) => box.x + box.width));
  const bottom = Math.max(...pieces.map(({ box }) => box.y + box.height));
  const characters = pieces.reduce((sum, { text }) => sum + text.length, 0);
  const likelihood = pieces.reduce((sum, piece) => sum + piece.confidence * piece.text.length, 0);
  // A letter that was seen and not read has a probability of 0.
  const confidence = likelihood / (characters + pieces.reduce((sum, { unread }) => sum + unread, 0));
  const [only, another] = pieces;
  const corners = another ? undefined : only?.corners;
  return {
    text: pieces.map(({ text }) => text).join(' '),
    confidence: Math.round(confidence * 1000) / 1000,
    bbox: [left, top, right - left, bottom - top],
    ...(corners && { polygon: rounded(corners) }),
    ...(pieces.some(({ isUnsure }) => isUnsure) && { unsure: true }),
  };
}

function middle({ box }: TextPiece): number {
  return box.y + box.height / 2;
}

function sameRow(a: TextPiece, b: TextPiece): boolean {
  return Math.abs(middle(a) - middle(b)) < SAME_ROW * Math.min(a.box.height, b.box.height);
}

function gap(left: TextPiece, right: TextPiece): number {
  return right.box.x - (left.box.x + left.box.width);
}
