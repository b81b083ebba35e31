/** Preloaded into the service (`--import`): the machine seems to have `FAKED_CORES` cores. */
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

os.availableParallelism = () => Number(process.env['FAKED_CORES']);
syncBuiltinESMExports();
