import { expect } from 'chai';
import { array, assert, constantFrom, dictionary, jsonValue, nat, property, string } from 'fast-check';
import { ReelstateError } from '../../src/client/reelstate-error.ts';
import { ResultItems } from '../../src/client/result-items.ts';

function itemsOf(document: string, cuts: readonly number[] = []): readonly unknown[] {
  const reader = new ResultItems();
  const edges = [0, ...cuts.map((cut) => cut % (document.length + 1)).toSorted((a, b) => a - b), document.length];
  const items = edges
    .slice(1)
    .flatMap((edge, at) => [...reader.push(document.slice(edges[at], edge))])
    .map((text): unknown => JSON.parse(text));
  reader.end();
  return items;
}

describe('the items of a results document', () => {
  it('are found whatever they hold, however the document is laid out, and wherever it is cut', () => {
    const item = dictionary(string(), jsonValue());
    const cuts = array(nat(), { maxLength: 8 });
    assert(
      property(string(), array(item), constantFrom(0, 2, '\t'), cuts, (jobId, results, indent, at) => {
        const document = JSON.stringify(
          { job_id: jobId, more: [{ results: [1] }], results, last: [[0]] },
          null,
          indent,
        );
        expect(itemsOf(document, at)).to.deep.equal(JSON.parse(JSON.stringify(results)));
      }),
    );
  });

  it('are those of the list called results alone, and of no other shape', () => {
    expect(itemsOf('{"results":[]}')).to.deep.equal([]);
    expect(itemsOf(String.raw`{"a":"\"results\":[{}]","results" : [{"b":"}]"} , {"c":"\\"}]}`)).to.deep.equal([
      { b: '}]' },
      { c: '\\' },
    ]);
    for (const strange of ['{"results":[1]}', '{"results":["{}"]}', '{"results":[[{}]]}', '{"results":[null]}']) {
      expect(() => itemsOf(strange), strange).to.throw(ReelstateError);
    }
  });

  it('a document that is cut off, or has no results, is no answer', () => {
    const whole = '{"job_id":"1","results":[{"a":[1]},{"b":2}]}';
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => itemsOf(whole.slice(0, length)), String(length)).to.throw(ReelstateError);
    }
    expect(() => itemsOf('{"job_id":"1","result":[{"a":1}]}')).to.throw(ReelstateError);
  });
});
