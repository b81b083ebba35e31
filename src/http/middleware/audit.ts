import type { ParameterizedContext } from 'koa';
import type { RequestState } from './request-log.ts';

/** What is written down of those who use keys, beside the line of each request. */
export type AuditedAction = 'sign_in' | 'sign_out' | 'wrong_key' | 'cancel' | 'delete_files';

/** Logs who did what, once it is done. The line names the job when the request is about one. */
export function audit(ctx: ParameterizedContext<RequestState>, action: AuditedAction): void {
  const { caller, client, jobId, log } = ctx.state;
  log.info(
    {
      action,
      address: client.address,
      ...(caller === undefined ? {} : { caller: caller.id }),
      ...(jobId === undefined ? {} : { job_id: jobId }),
    },
    'audit',
  );
}
