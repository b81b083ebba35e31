import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Restrictions that a process sets before it runs its program; {@link https://landlock.io} and seccomp(2). */
export interface SandboxLayers {
  readonly files: boolean;
  readonly systemCalls: boolean;
}

/** Shared libraries, and system files that Node.js and the C library read. No data of users and no other process. */
const SYSTEM_PATHS = [
  '/usr',
  '/lib',
  '/lib32',
  '/lib64',
  '/nix/store',
  '/gnu/store',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld-musl-x86_64.path',
  '/etc/ld-musl-aarch64.path',
  '/etc/localtime',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/openssl.cnf',
  '/etc/crypto-policies',
  '/proc/self',
  '/proc/cpuinfo',
  '/proc/meminfo',
  '/proc/stat',
  '/proc/sys/vm/overcommit_memory',
  '/sys/devices/system',
  '/sys/fs/cgroup',
  '/dev/null',
  '/dev/random',
  '/dev/urandom',
];
/** The dynamic loaders, which the kernel executes for a program. */
const LOADERS = [
  '/lib64/ld-linux-x86-64.so.2',
  '/lib/ld-linux-aarch64.so.1',
  '/lib/ld-musl-x86_64.so.1',
  '/lib/ld-musl-aarch64.so.1',
];

export interface SandboxOptions {
  readonly layers: SandboxLayers;
  /** Variables of the process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Files and folders that it may read in addition to the program: its videos and added models. */
  readonly paths: readonly string[];
}

/** Arguments of Node.js before the path of the restricted program; none for no layer. */
export function sandboxArguments({ layers, environment, paths }: SandboxOptions): readonly string[] {
  if (!layers.files && !layers.systemCalls) return [];
  const libraries = environment['LD_LIBRARY_PATH']?.split(delimiter).filter((path) => path !== '') ?? [];
  const read = [...SYSTEM_PATHS, ...libraries, ...programPaths(), ...paths];
  return [
    fileURLToPath(new URL('launcher.js', import.meta.url)),
    ...(layers.files ? ['--files'] : []),
    ...read.map((path) => `--read=${path}`),
    ...[process.execPath, ...LOADERS].map((path) => `--execute=${path}`),
    ...(layers.systemCalls ? ['--system-calls'] : []),
    '--',
  ];
}

/** The compiled program, its models and definitions, its packages, and the libraries of Node.js. */
function programPaths(): readonly string[] {
  const manifest = fileURLToPath(import.meta.resolve('#package.json'));
  const root = dirname(manifest);
  const compiled = realpathSync(fileURLToPath(new URL('../../..', import.meta.url)));
  const packages = parentsOf(root)
    .map((folder) => join(folder, 'node_modules'))
    .filter((folder) => existsSync(folder));
  return [
    manifest,
    compiled,
    join(root, 'src', 'pipeline'),
    ...packages.map((folder) => realpathSync(folder)),
    join(dirname(process.execPath), '..', 'lib'),
  ];
}

/** The folder and its parents. */
function parentsOf(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...parentsOf(above)];
}
