export interface ReelstateErrorOptions extends ErrorOptions {
  /** Status of the answer; absent when there was none. */
  readonly status?: number;
  readonly hint?: string;
  readonly retryAfterS?: number;
}

/**
 * Why the service did not do what was asked: `message` for people (a problem document's `detail`), `code` for programs.
 *
 * The codes are those of docs/ENDPOINTS.md, and two of our own: `unreachable` (nothing answers, or the connection broke)
 * and `unexpected_answer` (what answered is not the service, or a newer one).
 */
export class ReelstateError extends Error {
  override readonly name = 'ReelstateError';
  readonly code: string;
  /** HTTP status; 0 when nothing answered. */
  readonly status: number;
  /** What can be done about it, where the service says so. */
  readonly hint: string | undefined;
  /** Seconds after which another try makes sense, where the service says so. */
  readonly retryAfterS: number | undefined;

  constructor(code: string, detail: string, options: ReelstateErrorOptions = {}) {
    super(detail, options);
    this.code = code;
    this.status = options.status ?? 0;
    this.hint = options.hint;
    this.retryAfterS = options.retryAfterS;
  }

  /** True when the same request may succeed later: nothing answered, or the service was too busy or not ready. */
  get isTransient(): boolean {
    return this.code === 'unreachable' || this.status === 429 || this.status === 503;
  }
}

/** The error that an answer other than 2xx tells of; reads its body. */
export async function refusalOf(response: Response): Promise<ReelstateError> {
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
    // Not from the service itself, such as a proxy's page: the number is all there is.
  }
  return new ReelstateError('unexpected_answer', `The service answered with status ${status}`, given);
}

/** A problem document (RFC 9457) of the service, as far as it is gone by. */
function isProblem(
  value: unknown,
): value is { readonly code: string; readonly detail: string; readonly hint?: string } {
  if (typeof value !== 'object' || value === null || !('code' in value) || !('detail' in value)) return false;
  if ('hint' in value && typeof value.hint !== 'string') return false;
  return typeof value.code === 'string' && typeof value.detail === 'string';
}
