import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

const FOLDERS = ['.github', 'docs'];

/** Required documents of a release. */
const REQUIRED = [
  'OVERVIEW',
  'ARCHITECTURE',
  'ENDPOINTS',
  'MIGRATION_GUIDE',
  'ROLLBACK_PLAN',
  'CONTRIBUTOR_EXAM',
  'RELEASE_NOTES',
].map((name) => `docs/${name}.md`);

/**
 * Returns the project's documents as paths relative to its root: Markdown at the top level, in docs/ and in .github/.
 */
export function documentFiles(root: string): readonly string[] {
  const top = readdirSync(root).filter((name) => name.endsWith('.md'));
  const deeper = FOLDERS.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => path.posix.join(folder, name)),
  );
  return [...top, ...deeper].toSorted();
}

/** Returns the missing required documents. */
export function missingDocuments(root: string): readonly string[] {
  return REQUIRED.filter((file) => !existsSync(path.join(root, file)));
}
