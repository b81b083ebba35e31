import { join } from 'node:path';
import type { Config } from './config.ts';
import { JobEngine } from './engine/job-engine.ts';
import { recover } from './engine/recovery.ts';
import { Worker } from './engine/worker.ts';
import type { Log } from './log.ts';
import { InMemoryQueueService } from './queue/memory.ts';
import { LocalStorageService } from './storage/local.ts';
import { DuckDBJobStore } from './store/duckdb.ts';
