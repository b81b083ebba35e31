import type { RouterMiddleware } from '@koa/router';
import { z } from 'zod';
import { KeyedMutex } from '../../engine/keyed-mutex.ts';
import { ServiceError } from '../../errors.ts';
import { jobIdSchema } from '../../job.ts';
import type { SearchHit, SearchPlace, VideoSearch } from '../../search/video-search.ts';
import { segmentSchema } from '../../segments/segment.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { parseParameters, wholeNumber } from '../parameters.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

const TIME_RULE = 'must be a date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z';
/** A date stands for its start in UTC. */
const time = z
  .string()
  .pipe(z.union([z.iso.date(), z.iso.datetime({ offset: true })], TIME_RULE))
  // In UTC it may be in another year, and the database has only years of four digits.
  .refine((text) => /^\d{4}-/.test(new Date(text).toISOString()), TIME_RULE);

export const searchParametersSchema = z.object({
  q: z
    .string()
    .max(200, 'must have at most 200 characters')
    .regex(/[\p{L}\p{N}]/u, 'must contain a letter or a digit')
    .optional()
    .describe(
      'Words that are shown together, in any order, and `"phrases"`. Case and diacritics do not matter. Words of five or more letters are also found with one letter wrong. At most 30 words',
    ),
  label: z
    .string()
    .regex(/^[^\p{Cc}]{1,100}$/u, 'must have 1 to 100 characters')
    .optional()
    .describe('Class of an object, such as `car`. Given with `q`: videos with both. At least one of the two is needed'),
  from: time.optional().describe('Only videos accepted at or after this date or time; a date begins at 00:00 UTC'),
  to: time.optional().describe('Only videos accepted before this date or time'),
  pipeline_id: z
    .string()
    // A null character would end the statement of the index.
    .regex(/^[^\p{Cc}]{1,100}$/u, 'must have 1 to 100 characters')
    .optional()
    .describe('Only videos analysed by this pipeline'),
  limit: wholeNumber(1, MAX_LIMIT).default(DEFAULT_LIMIT).describe('Videos on a page'),
  cursor: z
    .string()
    .regex(/^[en][0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/, 'is not a next_cursor')
    .optional()
    .describe('The `next_cursor` of the previous page'),
});

const hitSchema = z.object({
  job_id: jobIdSchema,
  file_name: z.string().nullable().describe('Name of the uploaded file; null if none was given or kept'),
  created_at: z.iso.datetime().describe('When the job was accepted, UTC'),
  in_name: z.boolean().describe('True when the file name and the tag contain all the words'),
  matches: z.int().min(0).describe('Number of segments that match, listed or not'),
  segments: z
    .array(segmentSchema)
    .describe(
      'At most 20 texts and 20 objects: exact matches first, then by time. A scene if only its lines together match',
    ),
});

export const searchResponseSchema = z.object({
  hits: z.array(hitSchema).describe('One per video: exact matches first, then newest first'),
  complete: z.boolean().describe('False while the index does not have all videos'),
  next_cursor: z.string().nullable().describe('Cursor of the next page; null on the last'),
});

/** GET /video/search */
export function searchRoute(search: Pick<VideoSearch, 'search'>): RouterMiddleware<RequestState> {
  // Searches run one after another. A client with many must not delay those of others.
  const turns = new KeyedMutex();
  return async (ctx) => {
    const { q, pipeline_id: pipelineId, cursor, ...filter } = parseParameters(searchParametersSchema, [ctx.query]);
    if (q === undefined && filter.label === undefined)
      throw new ServiceError('invalid_request', 'q or label is missing');
    const [from, to] = [utcOf(filter.from), utcOf(filter.to)];
    if (from !== undefined && to !== undefined && from >= to) {
      throw new ServiceError('invalid_request', 'to must be later than from');
    }
    const after = cursor === undefined ? undefined : placeOf(cursor);
    const { hits, isComplete, next } = await turns.runExclusive(ctx.state.client.network, () =>
      search.search({ ...filter, from, to, text: q, pipelineId, after }),
    );
    ctx.body = {
      hits: hits.map((hit) => itemOf(hit)),
      complete: isComplete,
      next_cursor: next === undefined ? null : cursorOf(next),
    } satisfies z.input<typeof searchResponseSchema>;
  };
}

function utcOf(given: string | undefined): string | undefined {
  return given === undefined ? undefined : new Date(given).toISOString();
}

function itemOf({ jobId, fileName, createdAt, isInName, matches, segments }: SearchHit): z.input<typeof hitSchema> {
  return {
    job_id: jobId,
    file_name: fileName,
    created_at: createdAt,
    in_name: isInName,
    matches,
    segments: [...segments],
  };
}

function cursorOf({ isExact, jobId }: SearchPlace): string {
  return `${isExact ? 'e' : 'n'}${jobId}`;
}

function placeOf(cursor: string): SearchPlace {
  return { isExact: cursor.startsWith('e'), jobId: jobIdSchema.parse(cursor.slice(1)) };
}
