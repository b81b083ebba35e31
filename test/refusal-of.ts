import { ServiceError } from '../src/errors.ts';

/** The `ServiceError` with which it rejects; whatever else it does is thrown. */
export async function refusalOf(promise: Promise<unknown>): Promise<ServiceError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
