import { expect } from 'chai';
import type { z } from 'zod';
import type {
  ActivityResponse,
  DeletionResponse,
  FrameResult,
  JobsResponse,
  PipelinesResponse,
  SearchResponse,
  SegmentsResponse,
  StatusResponse,
  TransitionsResponse,
} from '../../src/client/responses.ts';
import type { activityResponseSchema } from '../../src/http/routes/activity.ts';
import type { deletionResponseSchema } from '../../src/http/routes/delete-files.ts';
import type { jobsResponseSchema } from '../../src/http/routes/jobs.ts';
import type { pipelinesResponseSchema, resultsResponseSchema, statusResponseSchema } from '../../src/http/schemas.ts';
import type { searchResponseSchema } from '../../src/http/routes/search.ts';
import type { segmentsResponseSchema } from '../../src/http/routes/segments.ts';
import type { transitionsResponseSchema } from '../../src/http/routes/transitions.ts';

/** True if every response of the service has the client's type, and the client's type has no other member. */
type Tells<Answer, Schema extends z.ZodType> =
  z.infer<Schema> extends Answer ? (keyof Answer extends keyof z.infer<Schema> ? true : false) : false;

describe('the response types of the client', () => {
  it('equal those of the schemas, or this file does not compile', () => {
    const told: readonly true[] = [
      true satisfies Tells<StatusResponse, typeof statusResponseSchema>,
      true satisfies Tells<DeletionResponse, typeof deletionResponseSchema>,
      true satisfies Tells<JobsResponse, typeof jobsResponseSchema>,
      true satisfies Tells<PipelinesResponse, typeof pipelinesResponseSchema>,
      true satisfies Tells<{ readonly results: readonly FrameResult[] }, typeof resultsResponseSchema>,
      true satisfies Tells<SearchResponse, typeof searchResponseSchema>,
      true satisfies Tells<SegmentsResponse, typeof segmentsResponseSchema>,
      true satisfies Tells<Pick<ActivityResponse, 'counts' | 'transitions'>, typeof activityResponseSchema>,
      true satisfies Tells<Pick<TransitionsResponse, 'job'>, typeof transitionsResponseSchema>,
    ];
    expect(told).to.have.lengthOf(9);
  });
});
