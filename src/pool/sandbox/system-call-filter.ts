import { CHECKED_CALLS, DENIED_CALLS } from './system-call-numbers.ts';

/** An architecture as seccomp names it (linux/audit.h), and its column in the tables of numbers. */
interface Architecture {
  readonly audit: number;
  readonly column: 0 | 1;
}

const ARCHITECTURES: ReadonlyMap<string, Architecture> = new Map([
  ['x64', { audit: 0xc000003e, column: 0 }],
  ['arm64', { audit: 0xc00000b7, column: 1 }],
]);

/** On x64, higher numbers belong to another calling convention with its own table. */
const X32_CALLS = 0x40000000;

const ALLOW = 0x7fff0000;
const FAIL = 0x00050000;
const EPERM = FAIL | 1;
/** The C library then uses the older call, whose arguments a filter can read. */
const ENOSYS = FAIL | 38;

const CLONE_THREAD = 0x00010000;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET. */
const CLONE_NAMESPACES = 0x7e020000;
/** O_WRONLY, O_RDWR, O_CREAT and O_TRUNC. */
const OPEN_TO_WRITE = 0x243;
const PR_SET_PDEATHSIG = 1;

/** Offsets in `struct seccomp_data`; of an argument, its lower 32 bits. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const argument = (index: number): number => 16 + 8 * index;

/** One instruction of classic BPF (linux/filter.h): operation, jumps when true and false, operand. */
type Instruction = readonly [operation: number, ifTrue: number, ifFalse: number, operand: number];

const load = (offset: number): Instruction => [0x20, 0, 0, offset];
const skipUnlessEqual = (value: number, skip: number): Instruction => [0x15, 0, skip, value];
const skipIfEqual = (value: number, skip: number): Instruction => [0x15, skip, 0, value];
const skipUnlessAtLeast = (value: number, skip: number): Instruction => [0x35, 0, skip, value];
const skipIfAny = (bits: number, skip: number): Instruction => [0x45, skip, 0, bits];
const end = (verdict: number): Instruction => [0x06, 0, 0, verdict];

/**
 * Returns a seccomp filter that denies what decoding and analysing does not need: other processes, sockets, namespaces,
 * mounts, opening files for writing, new processes. It lists what is denied, not what is allowed, so that other
 * versions of Node.js and of the C library work. Undefined for an unknown architecture.
 * @param pid the only process that may be signalled and limited: the filtered one
 * @returns an array of `struct sock_filter`, little-endian
 */
export function systemCallFilter(architecture: string, pid: number): Buffer | undefined {
  const known = ARCHITECTURES.get(architecture);
  if (known === undefined) return undefined;
  const { audit, column } = known;
  const program: Instruction[] = [load(ARCHITECTURE), skipIfEqual(audit, 1), end(EPERM), load(NUMBER)];
  if (architecture === 'x64') program.push(skipUnlessAtLeast(X32_CALLS, 1), end(EPERM));
  const decide = (number: number | undefined, block: readonly Instruction[]): void => {
    if (number !== undefined) program.push(skipUnlessEqual(number, block.length), ...block);
  };
  for (const numbers of Object.values(DENIED_CALLS)) decide(numbers[column], [end(EPERM)]);
  for (const [call, block] of Object.entries(checks(pid))) {
    const numbers = new Map(Object.entries(CHECKED_CALLS)).get(call);
    decide(numbers?.[column], block);
  }
  program.push(end(ALLOW));
  return assembled(program);
}

function checks(pid: number): Readonly<Record<keyof typeof CHECKED_CALLS, readonly Instruction[]>> {
  const ofItself = [load(argument(0)), skipIfEqual(pid, 1), end(EPERM), end(ALLOW)];
  const ofItselfOrNone = [load(argument(0)), skipIfEqual(0, 2), skipIfEqual(pid, 1), end(EPERM), end(ALLOW)];
  const toRead = (flags: number) => [load(argument(flags)), skipIfAny(OPEN_TO_WRITE, 1), end(ALLOW), end(EPERM)];
  return {
    clone: [load(argument(0)), skipIfAny(CLONE_NAMESPACES, 1), skipIfAny(CLONE_THREAD, 1), end(EPERM), end(ALLOW)],
    clone3: [end(ENOSYS)],
    kill: ofItself,
    tgkill: ofItself,
    rt_sigqueueinfo: ofItself,
    rt_tgsigqueueinfo: ofItself,
    prlimit64: ofItselfOrNone,
    sched_setaffinity: ofItselfOrNone,
    sched_setscheduler: ofItselfOrNone,
    sched_setparam: ofItselfOrNone,
    sched_setattr: ofItselfOrNone,
    open: toRead(1),
    openat: toRead(2),
    openat2: [end(ENOSYS)],
    // The signal that ends it with the service must remain.
    prctl: [load(argument(0)), skipUnlessEqual(PR_SET_PDEATHSIG, 1), end(EPERM), end(ALLOW)],
  };
}

function assembled(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [operation, ifTrue, ifFalse, operand]] of program.entries()) {
    const at = index * 8;
    bytes.writeUInt16LE(operation, at);
    bytes.writeUInt8(ifTrue, at + 2);
    bytes.writeUInt8(ifFalse, at + 3);
    bytes.writeUInt32LE(operand >>> 0, at + 4);
  }
  return bytes;
}
