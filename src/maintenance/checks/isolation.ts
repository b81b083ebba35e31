import { detectIsolation, type IsolationLevel } from '../../pool/isolation.ts';
import { warning, well, type Finding } from '../finding.ts';

const CHECK = 'isolation';
/** The fences that depend on the machine, and the program of util-linux that puts each up. */
const FENCES: readonly (readonly [level: IsolationLevel, program: string])[] = [
  ['memory', 'prlimit'],
  ['network', 'unshare'],
  ['privileges', 'setpriv'],
];

/** Which fences the processes that decode videos would get here. */
export async function checkIsolation(
  memoryBytes: number,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Finding> {
  const { levels } = await detectIsolation({ memoryBytes, environment });
  const missing = FENCES.filter(([level]) => !levels.includes(level));
  if (missing.length === 0) return well(CHECK, levels.join(', '));
  const names = missing.map(([level]) => level).join(', ');
  const programs = missing.map(([, program]) => program).join(', ');
  return warning(
    CHECK,
    `a process that decodes videos goes without: ${names}`,
    `Install util-linux (${programs}), and allow user namespaces where unshare is refused (a container, a sysctl)`,
  );
}
