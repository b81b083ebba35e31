export interface ReelstateErrorOptions extends ErrorOptions {
  /** HTTP status of the response; absent when there was none. */
  readonly status?: number;
  readonly hint?: string;
  readonly retryAfterS?: number;
}

/**
 * The error of every failed call. `message` is for people (the `detail` of a problem document), `code` for programs.
 *
 * Codes are those of docs/ENDPOINTS.md, plus `unreachable` (no response, or the connection broke) and
 * `unexpected_response` (the response is not from this service, or from a newer one).
 */
export class ReelstateError extends Error {
  override readonly name = 'ReelstateError';
  readonly code: string;
  /** HTTP status; 0 when there was no response. */
  readonly status: number;
  /** Advice for the user, if the service gives any. */
  readonly hint: string | undefined;
  /** Seconds to wait before a retry, if the service says so. */
  readonly retryAfterS: number | undefined;

  constructor(code: string, detail: string, options: ReelstateErrorOptions = {}) {
    super(detail, options);
    this.code = code;
    this.status = options.status ?? 0;
    this.hint = options.hint;
    this.retryAfterS = options.retryAfterS;
  }

  /** True when the same request may succeed later: no response, or the service is busy or not ready. */
  get isTransient(): boolean {
    return this.code === 'unreachable' || this.status === 429 || this.status === 503;
  }
}

/** Returns the error that a response other than 2xx describes; reads its body. */
export async function errorOf(response: Response): Promise<ReelstateError> {
  const { status } = response;
  const seconds = Number(response.headers.get('Retry-After') ?? Number.NaN);
  const given = { status, ...(Number.isFinite(seconds) ? { retryAfterS: seconds } : {}) };
  try {
    const problem: unknown = await response.json();
    if (isProblem(problem)) {
      const { code, detail, hint } = problem;
      return new ReelstateError(code, detail, hint === undefined ? given : { ...given, hint });
    }
  } catch {
    // Not from the service, such as a proxy's page: only the status is known.
  }
  return new ReelstateError('unexpected_response', `Unexpected response with status ${status}`, given);
}

/** Checks the fields of a problem document (RFC 9457) that the client uses. */
function isProblem(
  value: unknown,
): value is { readonly code: string; readonly detail: string; readonly hint?: string } {
  if (typeof value !== 'object' || value === null || !('code' in value) || !('detail' in value)) return false;
  if ('hint' in value && typeof value.hint !== 'string') return false;
  return typeof value.code === 'string' && typeof value.detail === 'string';
}
