import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of this project. */
export const projectRoot = fileURLToPath(new URL('.', import.meta.resolve('#package.json')));

/** A project in a temporary folder with this project's rules and the given files; disposing it deletes the folder. */
export function sampleProject(files: Readonly<Record<string, string>>, dependencies: object = {}) {
  const root = mkdtempSync(path.join(os.tmpdir(), 'sample-project-'));
  const write = (name: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    writeFileSync(path.join(root, name), text);
  };
  const rules = 'tools/forbidden_vocabulary.yaml';
  cpSync(path.join(projectRoot, rules), path.join(root, rules));
  write('package.json', JSON.stringify({ imports: { '#package.json': './package.json' }, ...dependencies }, null, 2));
  for (const [name, text] of Object.entries(files)) write(name, text);
  return { root, write, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}
