import { closeSync, fstatSync, openSync } from 'node:fs';
import { addPathRule, createRuleset, landlockVersion, restrictSelf } from '../libc.ts';

/** Rights in linux/landlock.h. */
const EXECUTE = 1n << 0n;
const READ_FILE = 1n << 2n;
const READ_FOLDER = 1n << 3n;
/** All known rights are denied unless a rule grants them; by the first version that knows them. */
const FILE_RIGHTS: readonly (readonly [version: number, rights: bigint])[] = [
  [1, 0x1fffn],
  // Linking and renaming between folders.
  [2, 1n << 13n],
  // Truncating.
  [3, 1n << 14n],
  // Commands to devices.
  [5, 1n << 15n],
];
/** Binding and connecting of TCP. */
const NETWORK_RIGHTS = 3n;
const NETWORK_VERSION = 4;
/** Abstract sockets of other processes, and signals to them. */
const SCOPES = 3n;
const SCOPE_VERSION = 6;

/** Of linux/fcntl.h: a descriptor that names a file without opening it. */
const O_PATH = 0o10000000;

export interface Grants {
  /** Files, and folders with their content. What is missing or cannot be reached is ignored. */
  readonly read: readonly string[];
  /** Programs, which can also be read. */
  readonly execute: readonly string[];
}

/**
 * Restricts this process to reading the granted files: no other file access, no TCP, and no signals to other processes,
 * as far as the kernel's version of Landlock supports it. Throws if the kernel has no Landlock.
 */
export function restrictFiles({ read, execute }: Grants): void {
  const version = landlockVersion();
  const rights = FILE_RIGHTS.filter(([since]) => version >= since).reduce((all, [, added]) => all | added, 0n);
  const attributes = [rights];
  if (version >= NETWORK_VERSION) attributes.push(NETWORK_RIGHTS);
  if (version >= SCOPE_VERSION) attributes.push(SCOPES);
  const ruleset = createRuleset(Buffer.from(BigUint64Array.from(attributes).buffer));
  for (const path of read) grant(ruleset, path, READ_FILE | READ_FOLDER);
  for (const path of execute) grant(ruleset, path, READ_FILE | EXECUTE);
  restrictSelf(ruleset);
  closeSync(ruleset);
}

function grant(ruleset: number, path: string, rights: bigint): void {
  const descriptor = reach(path);
  if (descriptor === undefined) return;
  const found = fstatSync(descriptor);
  // Pipes and sockets have no place in a file system, and the kernel rejects rules for them.
  if (!found.isFIFO() && !found.isSocket()) {
    const rule = Buffer.alloc(12);
    // Rights of folders are rejected for files.
    rule.writeBigUInt64LE(found.isDirectory() ? rights : rights & ~READ_FOLDER);
    rule.writeInt32LE(descriptor, 8);
    addPathRule(ruleset, rule);
  }
  closeSync(descriptor);
}

function reach(path: string): number | undefined {
  try {
    return openSync(path, O_PATH);
  } catch {
    return undefined;
  }
}
