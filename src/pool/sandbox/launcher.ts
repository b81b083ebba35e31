/**
 * Front door of a process that restricts itself and then becomes the program it is given, which it cannot undo:
 *
 * `node launcher.js [--files] [--read PATH]… [--execute PATH]… [--system-calls] -- PROGRAM ARGUMENTS…`
 *
 * Ends with an error when a restriction that was asked for cannot be had.
 */
import { parseArgs } from 'node:util';
import { gainNoPrivileges, filterSystemCalls, keepDescriptor, replaceProcess } from '../libc.ts';
import { restrictFiles } from './landlock.ts';
import { systemCallFilter } from './system-call-filter.ts';

/** Node.js marks what it inherits as not to be passed on. */
const STANDARD = [0, 1, 2];
/** The descriptor of the channel to the service, which Node.js takes from its environment and removes there. */
const CHANNEL = 3;

const { values, positionals } = parseArgs({
  options: {
    files: { type: 'boolean', default: false },
    read: { type: 'string', multiple: true, default: [] },
    execute: { type: 'string', multiple: true, default: [] },
    'system-calls': { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const [program = ''] = positionals;
const environment = { ...process.env };
for (const descriptor of STANDARD) keepDescriptor(descriptor);
if (process.connected) {
  keepDescriptor(CHANNEL);
  Object.assign(environment, { NODE_CHANNEL_FD: String(CHANNEL), NODE_CHANNEL_SERIALIZATION_MODE: 'advanced' });
}
gainNoPrivileges();
if (values.files) restrictFiles(values);
if (values['system-calls']) {
  const filter = systemCallFilter(process.arch, process.pid);
  if (filter === undefined) throw new Error(`no table of system calls for ${process.arch}`);
  filterSystemCalls(filter);
}
replaceProcess(
  program,
  positionals,
  Object.entries(environment).map(([name, value]) => `${name}=${value}`),
);
