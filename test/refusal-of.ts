import { ServiceError } from '../src/errors.ts';

/** Returns the `ServiceError` with which the promise rejects; throws for every other outcome. */
export async function refusalOf(promise: Promise<unknown>): Promise<ServiceError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
