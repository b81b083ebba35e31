import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { messageOf } from '../../src/errors.ts';
import { fillSections } from './generated-sections.ts';
import { anchorsOf, linksOf } from './markdown.ts';

/** A fault of a document. Lines count from 1. */
export interface DocumentFault {
  readonly line: number;
  readonly message: string;
}

/** Words that promise missing content. */
const PROMISES =
  /\b(?:todo|fixme|xxx|tbd|wip|placeholders?|lorem ipsum|coming soon|to be (?:written|decided|defined)|not yet (?:written|implemented|documented)|work in progress)\b/giu;
const OWN_PHASE = 16;

/** Returns the faults of one document (path relative to `root`): dead links, promises, stale generated sections. */
export function documentFaults(root: string, file: string): readonly DocumentFault[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  return [...deadLinks(root, file, text), ...promises(text), ...staleSections(text)].toSorted(
    (a, b) => a.line - b.line,
  );
}

function deadLinks(root: string, file: string, text: string): readonly DocumentFault[] {
  return linksOf(text).flatMap(({ target, line }) => {
    // External addresses cannot be checked without a network.
    if (/^(?:https?|mailto):/.test(target)) return [];
    const [place = '', anchor] = target.split('#');
    const pointed = place === '' ? file : path.posix.join(path.posix.dirname(file), decodeURIComponent(place));
    const whole = path.join(root, pointed);
    if (pointed.startsWith('../') || !existsSync(whole)) return [{ line, message: `dead link ${target}` }];
    if (anchor === undefined || !pointed.endsWith('.md') || statSync(whole).isDirectory()) return [];
    const found = anchorsOf(readFileSync(whole, 'utf8')).has(decodeURIComponent(anchor));
    return found ? [] : [{ line, message: `no heading for ${target}` }];
  });
}

function promises(text: string): readonly DocumentFault[] {
  return text.split('\n').flatMap((content, at) => {
    const words = [...content.matchAll(PROMISES)].map(([word]) => `promises what is not there: ${word}`);
    const phases = [...content.matchAll(/\bphase[ _-]?(\d+)/giu)]
      .filter(([, number]) => Number(number) > OWN_PHASE)
      .map(([phase]) => `names a later phase: ${phase}`);
    return [...words, ...phases].map((message) => ({ line: at + 1, message }));
  });
}

function staleSections(text: string): readonly DocumentFault[] {
  try {
    const fresh = fillSections(text).split('\n');
    const line = text.split('\n').findIndex((content, at) => content !== fresh[at]);
    return line === -1 ? [] : [{ line: line + 1, message: 'stale generated section: run `npm run docs`' }];
  } catch (error) {
    return [{ line: 1, message: messageOf(error) }];
  }
}
