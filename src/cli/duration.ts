import { InvalidArgumentError } from 'commander';

/** Parses a time such as `500ms`, `3s` or `1.5m`. Returns milliseconds. */
export function duration(text: string): number {
  const [, value = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
  if (value === '') throw new InvalidArgumentError('Not a time such as 500ms, 3s or 1.5m.');
  return Number(value) * ({ ms: 1, s: 1000, m: 60_000 }[unit] ?? 1);
}

/** Like `duration`, in whole milliseconds and at least one. */
export function samplingTime(text: string): number {
  const ms = duration(text);
  if (!Number.isInteger(ms) || ms < 1) throw new InvalidArgumentError('It must be at least 1ms, and no part of one.');
  return ms;
}
