import { KeyedMutex } from '../../engine/keyed-mutex.ts';
import { ServiceError } from '../../errors.ts';

/** Pictures in progress or waiting: of all clients, and of one. */
const MAX_PICTURES = 8;
const MAX_OF_CLIENT = 4;

/** Limits pictures for requests. Those of one client are made one after another, so that it leaves a process to others. */
export class PictureTurns {
  readonly #mutex = new KeyedMutex();
  readonly #ofClients = new Map<string, number>();
  #pictures = 0;

  /** Rejects with `pictures_busy`, or like the work. */
  async run(client: string, work: () => Promise<void>): Promise<void> {
    const own = this.#ofClients.get(client) ?? 0;
    if (this.#pictures >= MAX_PICTURES || own >= MAX_OF_CLIENT) {
      throw new ServiceError(
        'pictures_busy',
        `${own} pictures for this client and ${this.#pictures} for all are in progress; the limits are ${MAX_OF_CLIENT} and ${MAX_PICTURES}`,
      );
    }
    this.#pictures += 1;
    this.#ofClients.set(client, own + 1);
    try {
      await this.#mutex.runExclusive(client, work);
    } finally {
      this.#pictures -= 1;
      const left = (this.#ofClients.get(client) ?? 1) - 1;
      if (left === 0) this.#ofClients.delete(client);
      else this.#ofClients.set(client, left);
    }
  }
}
