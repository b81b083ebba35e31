import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { projectRoot } from '../tools/sample-project.ts';

const QUESTIONS = 20;
const NUMBERED = /^(\d+)\. (.+)$/gm;
/** A file, then texts in it. */
const REFERENCE = /`((?:src|machines|migrations|test|tools|\.github)\/[^`]+)` \(((?:`[^`]+`(?:, )?)+)\)/g;

const text = readFileSync(path.join(projectRoot, 'docs/CONTRIBUTOR_EXAM.md'), 'utf8');
const [questions = '', key = ''] = text.split('## Answer key');

function numbered(part: string): readonly (readonly [number, string])[] {
  return [...part.matchAll(NUMBERED)].map(([, number, line = '']) => [Number(number), line]);
}

describe("the contributor's exam", () => {
  it('asks twenty questions and answers each', () => {
    const all = Array.from({ length: QUESTIONS }, (_, at) => at + 1);
    expect(numbered(questions).map(([number]) => number)).to.deep.equal(all);
    expect(numbered(key).map(([number]) => number)).to.deep.equal(all);
  });

  it('refers for each answer to existing files and texts in them', () => {
    for (const [number, answer] of numbered(key)) {
      const references = [...answer.matchAll(REFERENCE)];
      expect(references, `answer ${number}`).to.not.have.lengthOf(0);
      for (const [, file = '', names = ''] of references) {
        const whole = path.join(projectRoot, file);
        expect(existsSync(whole), `answer ${number}: ${file}`).to.equal(true);
        const code = readFileSync(whole, 'utf8');
        for (const [, name = ''] of names.matchAll(/`([^`]+)`/g))
          expect(code, `answer ${number}: ${file}`).to.contain(name);
      }
    }
  });
});
