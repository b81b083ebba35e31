import { z } from 'zod';
import type { Detection } from '../../job.ts';
import type { Frame } from '../frame.ts';
import type { Region } from '../image-tensor.ts';
import { BUILT_IN_RECOGNISER, modelNameSchema } from '../models/model-catalogue.ts';
import { openRecogniser, recogniserLabels } from '../text/ctc-recogniser.ts';
import { knownLetters } from '../text/known-letters.ts';
import { LanguageRecogniser } from '../text/language-recogniser.ts';
import { checkLanguages } from '../text/tesseract-core.ts';
import { textLines } from '../text/text-lines.ts';
import { TextReader } from '../text/text-reader.ts';
import { defineTool } from './tool.ts';

const paramsSchema = z.strictObject({
  detection_side: z
    .int()
    .min(64)
    .max(4096)
    .optional()
    .describe(
      'Longest side of the picture in which text is searched, in pixels. Default: 960, and up to 1920 in a second pass over small text. A smaller side is faster and misses small text',
    ),
  min_confidence: z.number().min(0).max(1).default(0.6).describe('Minimum confidence of a line'),
  recogniser: modelNameSchema
    .default(BUILT_IN_RECOGNISER)
    .describe('Text recogniser: the built-in one, or a model of kind text from `reelstate models list`'),
  languages: z
    .array(z.string().regex(/^[a-z]{3,4}(_[a-z]+)*$/, 'a language is a code such as deu or chi_sim'))
    .min(1)
    .max(4)
    .optional()
    .describe(
      'Languages that Tesseract reads, by the names of its data such as `deu`. Each needs `npm install tesseract.js-core @tesseract.js-data/deu`',
    ),
  regions: z
    .enum(['frame', 'detections'])
    .default('frame')
    .describe('Where text is searched: the whole frame, or the boxes of detected objects'),
});

/** Reads text: `lines`, and `text` with one line of text per line. */
export const ocrRead = defineTool({
  name: 'ocr.read',
  description: 'Reads the text of a frame, or of what was detected in it',
  gives: ['text', 'lines'],
  params: () => paramsSchema,
  takes: ({ regions }) => (regions === 'frame' ? ['frame'] : ['frame', 'detections']),
  async check({ recogniser, languages }, catalogue) {
    if (languages) checkLanguages(languages);
    if (recogniser !== BUILT_IN_RECOGNISER) await catalogue.verify(recogniser, 'text');
  },
  async reads({ recogniser, languages = [] }, catalogue) {
    return knownLetters(await recogniserLabels(recogniser, catalogue), languages);
  },
  async open(params, sessions) {
    const own = await openRecogniser(sessions, params.recogniser);
    const { languages } = params;
    const recogniser = languages ? new LanguageRecogniser(await sessions.tesseract(languages), own) : own;
    const reader = await TextReader.open(sessions, recogniser);
    return async ({ frame, detections = [] }) => {
      const regions = params.regions === 'frame' ? [wholeFrame(frame)] : insideOf(frame, detections);
      const pieces = await reader.read(frame, regions, { detectionSide: params.detection_side });
      const lines = textLines(
        pieces.filter(({ text, confidence }) => text.trim() !== '' && confidence >= params.min_confidence),
      );
      return { text: lines.map(({ text }) => text).join('\n'), lines };
    };
  },
});

function wholeFrame({ width, height }: Frame): Region {
  return { x: 0, y: 0, width, height };
}

/** Returns the boxes of the detections in whole pixels, without empty ones. */
function insideOf(frame: Frame, detections: readonly Detection[]): Region[] {
  return detections.flatMap(({ bbox: [left, top, width, height] }) => {
    const x = Math.max(0, Math.floor(left));
    const y = Math.max(0, Math.floor(top));
    const right = Math.min(frame.width, Math.ceil(left + width));
    const bottom = Math.min(frame.height, Math.ceil(top + height));
    return right > x && bottom > y ? [{ x, y, width: right - x, height: bottom - y }] : [];
  });
}
