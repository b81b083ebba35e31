/**
 * Entry point of a process that restricts itself irrevocably and then executes the given program:
 * `node launcher.js [--files] [--read PATH]… [--execute PATH]… [--system-calls] -- PROGRAM ARGUMENTS…`
 * Exits with an error if a requested restriction is not available.
 */
import { parseArgs } from 'node:util';
import { gainNoPrivileges, filterSystemCalls, keepDescriptor, replaceProcess } from '../libc.ts';
import { restrictFiles } from './landlock.ts';
import { systemCallFilter } from './system-call-filter.ts';

/** Node.js marks inherited descriptors as close-on-exec. */
const STANDARD = [0, 1, 2];
/** The descriptor of the IPC channel, which Node.js reads and removes from its environment. */
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
