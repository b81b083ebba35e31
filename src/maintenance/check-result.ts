/** Result of one check of `doctor`. */
export interface CheckResult {
  /** What was checked, in one or two words. */
  readonly check: string;
  /** `warning`: the service works, but not as well as it could. `error`: it does not work, or not safely. */
  readonly status: 'ok' | 'warning' | 'error';
  readonly message: string;
  /** What to do; null if the check passed. */
  readonly fix: string | null;
}

export function ok(check: string, message: string): CheckResult {
  return { check, status: 'ok', message, fix: null };
}

export function warning(check: string, message: string, fix: string): CheckResult {
  return { check, status: 'warning', message, fix };
}

export function failed(check: string, message: string, fix: string): CheckResult {
  return { check, status: 'error', message, fix };
}
