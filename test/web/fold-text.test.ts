import { expect } from 'chai';
import { foldText, hasAllWords, rangesOf, wordsOf } from '../../src/web/shared/fold-text.ts';

describe('finding words in a text', () => {
  const has = (text: string, query: string): boolean => hasAllWords(foldText(text), wordsOf(query));
  const marked = (text: string, query: string): readonly string[] =>
    rangesOf(text, wordsOf(query)).map(([from, to]) => text.slice(from, to));

  it('does not depend on case, accents, apostrophes, punctuation or order', () => {
    expect(has("Dijkstra's algorithm", 'dijkstras')).to.equal(true);
    expect(has('Homework: due on 14 March', 'march homework')).to.equal(true);
    expect(has('Çafé zürich', 'CAFE Zürich')).to.equal(true);
    expect(has('中文字幕测试', '字幕')).to.equal(true);
    expect(has('Dijkstra', 'prim')).to.equal(false);
    expect(has('anything', ' . ')).to.equal(false);
  });

  it('marks the words where they stand in the text as it is written', () => {
    expect(marked("Dijkstra's algorithm", 'algo dijkstras')).to.deep.equal(["Dijkstra's", 'algo']);
    expect(marked('😀 Crème brûlée', 'brulee creme')).to.deep.equal(['Crème', 'brûlée']);
    expect(marked('aaa', 'a')).to.deep.equal(['aaa']);
  });
});
