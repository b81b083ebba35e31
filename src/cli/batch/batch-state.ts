import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ServiceError } from '../../errors.ts';
import { Ownership } from '../../store/ownership.ts';
import { Ledger } from './ledger.ts';

/** One process owns the state of a batch, so it may replace the draft of a killed one. */
export const DRAFT_TAG = 'batch';

/** The folder of a batch with its progress and analyses. It belongs to one process at a time. */
export interface BatchState extends AsyncDisposable {
  readonly ledger: Ledger;
  /** For analyses on this machine. */
  readonly analysesFolder: string;
}

/** Creates the folder if it is missing. Rejects with `store_unavailable` while another process has it. */
export async function openBatchState(folder: string): Promise<BatchState> {
  await mkdir(folder, { recursive: true });
  const ownership = await Ownership.acquire(folder).catch((cause: unknown) => {
    throw new ServiceError('store_unavailable', `another batch works with ${folder}: name another one with --state`, {
      cause,
    });
  });
  try {
    const ledger = await Ledger.open(join(folder, 'ledger.jsonl'));
    return {
      ledger,
      analysesFolder: join(folder, 'analyses'),
      async [Symbol.asyncDispose]() {
        await ledger[Symbol.asyncDispose]();
        ownership.release();
      },
    };
  } catch (error) {
    ownership.release();
    throw error;
  }
}
