/**
 * Protects this process and its secrets from other processes of the same user: only root can trace it, read its memory
 * and environment or take its descriptors, and it leaves no core dump. Erases the variables, which stay in memory when
 * they are deleted from `process.env`. Returns false if the system does not support this.
 */
export async function protectProcess(secretVariables: readonly string[]): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    const { eraseVariable, forbidTracing } = await import('./libc.ts');
    for (const name of secretVariables) eraseVariable(name);
    forbidTracing();
    return true;
  } catch {
    return false;
  }
}

/** True after {@link protectProcess} succeeded. */
export async function isProtected(): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  try {
    const { isTracingForbidden } = await import('./libc.ts');
    return isTracingForbidden();
  } catch {
    return false;
  }
}
