import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { childSettingsOf, parseConfig, type Config } from '../config.ts';
import { messageOf } from '../errors.ts';
import { readMachine } from '../pool/machine.ts';
import { planChildren, type ChildPlan } from '../pool/memory-plan.ts';
import { checkAddress } from './checks/address.ts';
import { checkDataFolder } from './checks/data-folder.ts';
import { checkDatabase } from './checks/database.ts';
import { checkDerivedFiles } from './checks/derived-files.ts';
import { checkDiskSpace } from './checks/disk-space.ts';
import { checkIsolation } from './checks/isolation.ts';
import { checkNodeVersion } from './checks/node-version.ts';
import { checkPackages } from './checks/packages.ts';
import { checkPipelines } from './checks/pipelines.ts';
import { checkSearchIndex } from './checks/search-index.ts';
import { checkMemory, checkOpenFiles } from './checks/resources.ts';
import { ok, failed, type CheckResult } from './check-result.ts';

const packageSchema = z.object({ version: z.string(), engines: z.object({ node: z.string() }) });

/**
 * Checks everything that a service with these settings needs on this machine, running or stopped. Changes nothing. Ends
 * after invalid settings, because no other check is possible then.
 */
export async function* examine(environment: Readonly<Record<string, string | undefined>>): AsyncGenerator<CheckResult> {
  const { version, engines } = packageSchema.parse(
    JSON.parse(await readFile(new URL(import.meta.resolve('#package.json')), 'utf8')),
  );
  yield checkNodeVersion(process.versions.node, engines.node);
  let config: Config;
  try {
    config = parseConfig(environment);
  } catch (error) {
    yield failed('settings', messageOf(error), 'docs/CONFIGURATION.md lists every variable with what it may be');
    return;
  }
  yield ok('settings', 'all settings are valid');
  yield await checkPackages();
  const dataDir = resolve(config.DATA_DIR);
  yield await checkDataFolder(dataDir);
  yield await checkDiskSpace({
    dataDir,
    reserveBytes: config.DISK_RESERVE_BYTES,
    maxUploadBytes: config.MAX_UPLOAD_BYTES,
  });
  const { finding, isServing } = await checkAddress(config.HOST, config.PORT, version);
  yield finding;
  yield await checkDatabase(dataDir, isServing);
  yield await checkSearchIndex(dataDir, isServing);
  yield await checkDerivedFiles(dataDir);
  const modelsFolder = join(dataDir, 'models');
  const { finding: models, definitions } = await checkPipelines(modelsFolder, config.PIPELINES_DIR);
  yield models;
  yield await checkOpenFiles(config.MAX_CONNECTIONS, config.MAX_UPLOADS);
  const machine = readMachine();
  let plan: ChildPlan;
  try {
    plan = planChildren(machine, childSettingsOf(config));
  } catch (error) {
    yield failed('memory', messageOf(error), 'Set what the message proposes');
    return;
  }
  yield checkMemory(machine, plan, config.WORKER_CONCURRENCY, definitions);
  yield await checkIsolation({ plan, warmUp: definitions, modelsFolder, environment });
}
