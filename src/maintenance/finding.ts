/** What one look at the machine found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string;
  /** `well`; `warning`: it serves, though not as well as it could; `wrong`: it does not serve, or not safely. */
  readonly verdict: 'well' | 'warning' | 'wrong';
  readonly says: string;
  /** What to do about it; null when all is well. */
  readonly remedy: string | null;
}

export function well(check: string, says: string): Finding {
  return { check, verdict: 'well', says, remedy: null };
}

export function warning(check: string, says: string, remedy: string): Finding {
  return { check, verdict: 'warning', says, remedy };
}

export function wrong(check: string, says: string, remedy: string): Finding {
  return { check, verdict: 'wrong', says, remedy };
}
