import type { ParameterizedContext } from 'koa';
import type { RequestState } from './request-state.ts';

/** Audit log of actions with keys, in addition to the request log. */
export type AuditedAction = 'sign_in' | 'sign_out' | 'wrong_key' | 'cancel' | 'delete_files';

/** Logs who did what, after it is done, with the job id if there is one. */
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
