import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { messageOf, ServiceError } from '../../errors.ts';
import { Ownership } from '../../store/ownership.ts';
import { Ledger } from './ledger.ts';

/** The folder of a batch with its progress and analyses. It belongs to one process at a time. */
export interface BatchState extends AsyncDisposable {
  readonly ledger: Ledger;
  /** For analyses on this machine. */
  readonly analysesFolder: string;
  /**
   * Part of the names of its drafts. One process owns the state, so it may replace the draft of a killed one; another
   * batch with the same outputs has another tag.
   */
  readonly draftTag: string;
}

/** Creates the folder if it is missing. Rejects with `store_unavailable` while another process has it. */
export async function openBatchState(folder: string): Promise<BatchState> {
  await mkdir(folder, { recursive: true });
  const hint = 'Another batch may work with it: name another one with --state';
  const ownership = await Ownership.acquire(folder).catch((cause: unknown) => {
    throw new ServiceError('store_unavailable', messageOf(cause), { cause, hint });
  });
  try {
    const ledger = await Ledger.open(join(folder, 'ledger.jsonl'));
    return {
      ledger,
      analysesFolder: join(folder, 'analyses'),
      draftTag: `batch-${createHash('sha256').update(resolve(folder)).digest('hex').slice(0, 12)}`,
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
