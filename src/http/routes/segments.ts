import type { RouterMiddleware } from '@koa/router';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { JobSegments } from '../../analysis/job-segments.ts';
import { openResults } from '../../engine/job-files.ts';
import { resultsPathOf, segmentsPathOf } from '../../engine/sidecar.ts';
import { ServiceError } from '../../errors.ts';
import { jobIdSchema, type JobId } from '../../job.ts';
import { srtText, vttText } from '../../segments/cue-text.ts';
import { csvText, plainText } from '../../segments/segment-tables.ts';
import { segmentSchema, type Scene, type Segment } from '../../segments/segment.ts';
import { SEGMENT_KINDS } from '../../segments/segments-document.ts';
import type { StorageService } from '../../storage/storage-service.ts';
import type { JobReads } from '../../store/job-store.ts';
import { regionOf, regionText } from '../analysis-parameters.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { decimal, parseParameters, wholeNumber } from '../parameters.ts';
import { downloadName } from './download-name.ts';
import { parseJobId, requireJob } from './status.ts';

const FORMATS = ['json', 'vtt', 'srt', 'txt', 'csv'] as const;
type Format = (typeof FORMATS)[number];

export const segmentsParametersSchema = z.object({
  kind: z
    .enum(SEGMENT_KINDS, 'must be text, objects or scenes')
    .optional()
    .describe('Texts, objects or scenes (subtitles and slides); default `text`'),
  format: z
    .enum(FORMATS, 'must be json, vtt, srt, txt or csv')
    .optional()
    .describe('Default `json`. `vtt` and `srt` are made from scenes'),
  region: regionText
    .optional()
    .describe('`x,y,width,height` as fractions of the displayed frame, 0 to 1: only findings with their centre in it'),
  min_confidence: decimal(0, 1).optional().describe('Ignore lines and detections with a lower confidence; default 0'),
  min_duration_ms: wholeNumber(0)
    .optional()
    .describe(
      'Omit shorter segments. Default: omit those of one sample with a confidence below 0.9, if at least four samples a second were analysed',
    ),
  max_gap_ms: wholeNumber(0)
    .optional()
    .describe('Longest gap within a segment, if nothing else appears in its place; default two samples'),
});

export const segmentsResponseSchema = z.object({
  job_id: jobIdSchema,
  segments: z.array(segmentSchema).describe('Ordered by `start_ms`, then from top to bottom'),
});

const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  json: 'application/json',
  vtt: 'text/vtt',
  srt: 'application/x-subrip',
  txt: 'text/plain',
  csv: 'text/csv',
};

/** Minimum number of characters per chunk. */
const CHUNK = 16_384;

/** GET /video/segments/{job_id} */
export function segmentsRoute(
  reads: Pick<JobReads, 'get'>,
  storage: Pick<StorageService, 'loadFile'>,
  segments: Pick<JobSegments, 'find'>,
): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    const { format = 'json', kind: asked, region, ...options } = parseParameters(segmentsParametersSchema, [ctx.query]);
    const isCues = format === 'vtt' || format === 'srt';
    if (isCues && asked === 'objects') {
      throw new ServiceError('invalid_request', `format ${format} is made from scenes: kind must be scenes or text`);
    }
    const job = requireJob(jobId, await reads.get(jobId));
    await openResults(storage, job);
    const found = await segments.find(
      { resultsPath: resultsPathOf(jobId), segmentsPath: segmentsPathOf(jobId), media: job.media },
      {
        kind: isCues ? 'scenes' : (asked ?? 'text'),
        region: region === undefined ? undefined : regionOf(region),
        minConfidence: options.min_confidence,
        minDurationMs: options.min_duration_ms,
        maxGapMs: options.max_gap_ms,
      },
    );
    ctx.attachment(downloadName(job, endingOf(format, asked)));
    ctx.type = CONTENT_TYPES[format];
    ctx.body = Readable.from(inChunks(WRITERS[format](found, jobId)));
  };
}

/** Players look for subtitles of the video's own name. */
function endingOf(format: Format, kind = 'text'): string {
  if (format === 'vtt' || format === 'srt') return `.${format}`;
  return format === 'json' ? '_segments.json' : `_${kind}.${format}`;
}

const WRITERS: Readonly<Record<Format, (segments: AsyncIterable<Segment>, jobId: JobId) => AsyncIterable<string>>> = {
  json: jsonText,
  vtt: (segments) => vttText(scenesAmong(segments)),
  srt: (segments) => srtText(scenesAmong(segments)),
  txt: (segments) => plainText(segments),
  csv: (segments) => csvText(segments),
};

async function* jsonText(segments: AsyncIterable<Segment>, jobId: JobId): AsyncGenerator<string> {
  let separator = `{"job_id":"${jobId}","segments":[\n`;
  for await (const segment of segments) {
    yield separator + JSON.stringify(segment);
    separator = ',\n';
  }
  yield separator === ',\n' ? '\n]}\n' : `${separator}]}\n`;
}

async function* scenesAmong(segments: AsyncIterable<Segment>): AsyncGenerator<Scene> {
  for await (const segment of segments) if (segment.kind === 'scene') yield segment;
}

async function* inChunks(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let chunk = '';
  for await (const text of texts) {
    chunk += text;
    if (chunk.length < CHUNK) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}
