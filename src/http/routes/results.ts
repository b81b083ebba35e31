import type { RouterMiddleware } from '@koa/router';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { framesInRange, type TimeRange } from '../../analysis/results-range.ts';
import { openResults } from '../../engine/job-files.ts';
import { ServiceError } from '../../errors.ts';
import type { JobId } from '../../job.ts';
import type { StorageService } from '../../storage/storage-service.ts';
import type { JobReads } from '../../store/job-store.ts';
import type { RequestState } from '../middleware/request-state.ts';
import { parseParameters, wholeNumber } from '../parameters.ts';
import { downloadName } from './download-name.ts';
import { openStoredFile } from './stored-file.ts';
import { parseJobId, requireJob } from './status.ts';

export const resultsParametersSchema = z.object({
  from_ms: wholeNumber(0).optional().describe('Only frames shown at or after this time, in milliseconds'),
  to_ms: wholeNumber(1).optional().describe('Only frames shown before this time, in milliseconds; above `from_ms`'),
});

/** GET /video/results/{job_id}: the stored file or the frames of a time range, sent as fast as the client reads. */
export function resultsRoute(
  reads: Pick<JobReads, 'get'>,
  storage: Pick<StorageService, 'loadFile'>,
): RouterMiddleware<RequestState> {
  return async (ctx) => {
    const jobId = parseJobId(ctx.params['job_id']);
    const { from_ms: fromMs, to_ms: toMs } = parseParameters(resultsParametersSchema, [ctx.query]);
    if (fromMs !== undefined && toMs !== undefined && toMs <= fromMs) {
      throw new ServiceError('invalid_request', `to_ms must be above from_ms, which is ${fromMs}`);
    }
    const job = requireJob(jobId, await reads.get(jobId));
    const path = await openResults(storage, job);
    const { handle, size } = await openStoredFile(
      path,
      () => new ServiceError('results_expired', 'The results of this job have just been deleted'),
    );
    ctx.attachment(downloadName(job, '_results.json'));
    ctx.type = 'application/json';
    if (fromMs !== undefined || toMs !== undefined) {
      const range = { fromMs: fromMs ?? 0, toMs: toMs ?? Number.POSITIVE_INFINITY };
      const body = Readable.from(rangeDocument({ handle, size, jobId, range }));
      body.once('close', () => void handle.close());
      ctx.body = body;
      return;
    }
    // The file is `{"results": [...]}`. The response has this beginning in place of the first brace.
    const beginning = Buffer.from(`{"job_id":"${jobId}",`);
    const rest = handle.createReadStream({ start: 1 });
    rest.unshift(beginning);
    ctx.body = rest;
    ctx.length = beginning.length + size - 1;
  };
}

interface RangeDocument {
  readonly handle: FileHandle;
  readonly size: number;
  readonly jobId: JobId;
  readonly range: TimeRange;
}

async function* rangeDocument({ handle, size, jobId, range }: RangeDocument): AsyncGenerator<string> {
  let separator = `{"job_id":"${jobId}","results": [\n`;
  for await (const frame of framesInRange(handle, size, range)) {
    yield separator + frame;
    separator = ',\n';
  }
  yield separator === ',\n' ? '\n]}\n' : `{"job_id":"${jobId}","results": []}\n`;
}
