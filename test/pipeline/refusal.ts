import { expect } from 'chai';
import { ServiceError, type ErrorCode } from '../../src/errors.ts';

/** Expects a `ServiceError` of that code whose message contains every part. */
export async function expectRefusal(act: () => unknown, code: ErrorCode, ...parts: readonly string[]): Promise<void> {
  let caught: unknown;
  try {
    await act();
  } catch (error) {
    caught = error;
  }
  if (!(caught instanceof ServiceError)) throw new Error(`not refused: ${String(caught)}`, { cause: caught });
  expect(caught.code, caught.message).to.equal(code);
  for (const part of parts) expect(caught.message).to.contain(part);
}
