import type { Endpoint } from './endpoint.ts';
import { JOB_ENDPOINTS } from './job-endpoints.ts';
import { SERVICE_ENDPOINTS } from './service-endpoints.ts';

/** All endpoints, in the order of the API description. */
export const ENDPOINTS: readonly Endpoint[] = [...JOB_ENDPOINTS, ...SERVICE_ENDPOINTS];
