import { ServiceError } from '../src/errors.ts';

/** Returns the `ServiceError` of a rejected promise; throws for every other outcome. */
export async function refusalOf(promise: Promise<unknown>): Promise<ServiceError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
