import { ok, failed, type CheckResult } from '../check-result.ts';

const CHECK = 'Node.js';

/** @param needed the range in `engines` of package.json: `>=20.19` */
export function checkNodeVersion(present: string, needed: string): CheckResult {
  const [least = 0, minor = 0] = needed.replace('>=', '').split('.').map(Number);
  const [hasMajor = 0, hasMinor = 0] = present.split('.').map(Number);
  if (hasMajor > least || (hasMajor === least && hasMinor >= minor)) return ok(CHECK, present);
  return failed(CHECK, `${present}, and ${needed} is needed`, 'Install a newer Node.js, then run npm install again');
}
