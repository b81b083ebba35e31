import { expect } from 'chai';
import { array, assert, dictionary, jsonValue, nat, property, string } from 'fast-check';
import { ReelstateError } from '../../src/client/reelstate-error.ts';
import { ResultLines } from '../../src/client/result-lines.ts';

/** The document as the service writes it. */
function documentOf(frames: readonly unknown[]): string {
  if (frames.length === 0) return '{"job_id":"1","results": []}\n';
  return `{"job_id":"1","results": [\n${frames.map((frame) => JSON.stringify(frame)).join(',\n')}\n]}\n`;
}

function framesOf(document: string, cuts: readonly number[] = []): readonly unknown[] {
  const reader = new ResultLines();
  const edges = [0, ...cuts.map((cut) => cut % (document.length + 1)).toSorted((a, b) => a - b), document.length];
  const frames = edges
    .slice(1)
    .flatMap((edge, at) => [...reader.push(document.slice(edges[at], edge))])
    .map((text): unknown => JSON.parse(text));
  reader.end();
  return frames;
}

describe('ResultLines', () => {
  it('returns every frame, for every split of the document', () => {
    const frame = dictionary(string(), jsonValue());
    assert(
      property(array(frame), array(nat(), { maxLength: 8 }), (frames, cuts) => {
        expect(framesOf(documentOf(frames), cuts)).to.deep.equal(JSON.parse(JSON.stringify(frames)));
      }),
    );
  });

  it('rejects a document that is cut off, of another form, or followed by more', () => {
    const whole = documentOf([{ a: [1] }, { b: 2 }]);
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => framesOf(whole.slice(0, length)), String(length)).to.throw(ReelstateError);
    }
    for (const other of [
      '<html>\n',
      '{"job_id":"1","result": [\n{"a":1}\n]}\n',
      `${whole}{}\n`,
      '{"results": [\n1\n]}\n',
    ])
      expect(() => framesOf(other), other).to.throw(ReelstateError);
  });
});
