/** The few functions of the C library that Node.js lacks. Linux only. */
import koffi from 'koffi';
import { getSystemErrorName } from 'node:util';

const libc = koffi.load(null);

const PR_GET_DUMPABLE = 3;
const PR_SET_DUMPABLE = 4;
const PR_SET_SECCOMP = 22;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_MODE_FILTER = 2;
const F_SETFD = 2;

/** Numbers that are the same on every architecture. */
const LANDLOCK_CREATE_RULESET = 444;
const LANDLOCK_ADD_RULE = 445;
const LANDLOCK_RESTRICT_SELF = 446;
const LANDLOCK_RULE_PATH_BENEATH = 1;

const prctl = libc.func('int prctl(int, unsigned long, unsigned long, unsigned long, unsigned long)');
const prctlWithPointer = libc.func('int prctl(int, unsigned long, void *, unsigned long, unsigned long)');
const systemCall = libc.func('long syscall(long, ...)');
const setDescriptorFlags = libc.func('int fcntl(int, int, ...)');
const execute = libc.func('int execve(const char *, const char **, const char **)');
const getenv = libc.func('void *getenv(const char *)');
const strlen = libc.func('size_t strlen(const void *)');
const memset = libc.func('void *memset(void *, int, size_t)');
const filterProgram = koffi.struct({ length: 'unsigned short', instructions: 'const void *' });

/**
 * Forbids other processes of this user to trace this one and to read its memory and environment, and disables core
 * dumps.
 */
export function forbidTracing(): void {
  check('prctl', prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
}

/** True after {@link forbidTracing} was called. */
export function isTracingForbidden(): boolean {
  return prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) === 0;
}

/** Overwrites the value of a variable in /proc/PID/environ, which deleting it does not do. */
export function eraseVariable(name: string): void {
  const value: unknown = getenv(name);
  if (value !== null) memset(value, 0, strlen(value));
}

export function gainNoPrivileges(): void {
  check('prctl', prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

/** @param program an array of `struct sock_filter` */
export function filterSystemCalls(program: Buffer): void {
  const pointer = koffi.alloc(filterProgram, 1);
  koffi.encode(pointer, filterProgram, { length: program.length / 8, instructions: program });
  check('seccomp', prctlWithPointer(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, pointer, 0, 0));
}

/** Returns the version of Landlock's interface; 0: not available. */
export function landlockVersion(): number {
  const version = Number(systemCall(LANDLOCK_CREATE_RULESET, 'void *', null, 'size_t', 0, 'unsigned int', 1));
  return Math.max(0, version);
}

/**
 * @param attributes `struct landlock_ruleset_attr`
 * @returns a descriptor
 */
export function createRuleset(attributes: Buffer): number {
  const size = attributes.length;
  return check(
    'landlock',
    systemCall(LANDLOCK_CREATE_RULESET, 'void *', attributes, 'size_t', size, 'unsigned int', 0),
  );
}

/** @param rule `struct landlock_path_beneath_attr` */
export function addPathRule(ruleset: number, rule: Buffer): void {
  const kind = LANDLOCK_RULE_PATH_BENEATH;
  check('landlock', systemCall(LANDLOCK_ADD_RULE, 'int', ruleset, 'int', kind, 'void *', rule, 'unsigned int', 0));
}

/** Restricts this thread and the program that it executes. */
export function restrictSelf(ruleset: number): void {
  check('landlock', systemCall(LANDLOCK_RESTRICT_SELF, 'int', ruleset, 'unsigned int', 0));
}

/** Lets an executed program keep a descriptor. */
export function keepDescriptor(descriptor: number): void {
  check('fcntl', setDescriptorFlags(descriptor, F_SETFD, 'int', 0));
}

/** Replaces this process by a program. Throws on failure, never returns. */
export function replaceProcess(path: string, args: readonly string[], environment: readonly string[]): never {
  execute(path, [...args, null], [...environment, null]);
  throw systemError('execve');
}

function check(call: string, result: unknown): number {
  const value = Number(result);
  if (value < 0) throw systemError(call);
  return value;
}

function systemError(call: string): Error {
  return new Error(`${call}: ${getSystemErrorName(-koffi.errno())}`);
}
