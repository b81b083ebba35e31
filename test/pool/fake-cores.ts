/** Loaded before the service by `--import`: the machine seems to have as many cores as `FAKED_CORES` says. */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

os.availableParallelism = () => Number(process.env['FAKED_CORES']);
syncBuiltinESMExports();
