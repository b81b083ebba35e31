import type { JobId } from '../../job.ts';
import type { Log } from '../../log.ts';
import type { Scope } from '../schemas.ts';

/** The origin of a request. */
export interface Client {
  readonly address: string;
  /** Identity of the client for limits. */
  readonly network: string;
  /** True if the client uses TLS, to the service or to a proxy. */
  readonly isSecure: boolean;
}

/** The authenticated caller. */
export interface Caller {
  /** Identifies the key in the log and in the database by the start of its hash; `anonymous` if no keys are set. */
  readonly id: string;
  readonly scopes: readonly Scope[];
}

/** State of every request from its first middleware on. */
export interface RequestState {
  requestId: string;
  /** Id of the request in its log lines. */
  log: Log;
  /** Undefined before authentication and for a caller without a key. */
  caller?: Caller | undefined;
  client: Client;
  /** Path of the service as clients see it; empty for the root. */
  basePath: string;
  /** True if the caller sent a key in the headers, not a session cookie. */
  showedKey?: boolean;
  /** Set if the key is unknown; `waitS` above 0 after too many unknown keys. */
  wrongKey?: { readonly waitS: number };
  /** The route pattern of the path. */
  route?: string;
  /** The job that the request concerns. */
  jobId?: JobId;
}
