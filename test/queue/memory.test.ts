import { InMemoryQueueService } from '../../src/queue/memory.ts';
import { obeysTheQueueContract } from './queue.contract.ts';

describe('InMemoryQueueService', () => {
  obeysTheQueueContract(() => new InMemoryQueueService());
});
