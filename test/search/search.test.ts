import { expect } from 'chai';
import { refusalOf } from '../refusal-of.ts';
import { jobIdOf, SearchHarness } from './search-harness.ts';

describe('search over all videos', () => {
  it('finds all words of a segment in any order', async () => {
    await using harness = await SearchHarness.open([
      { texts: ["Dijkstra's algorithm", 'Shortest path'] },
      { texts: ['The algorithm of Prim'] },
    ]);
    expect(await harness.found('algorithm dijkstra')).to.deep.equal([["Dijkstra's algorithm"]]);
    expect(await harness.found('ALGORITHM')).to.deep.equal([['The algorithm of Prim'], ["Dijkstra's algorithm"]]);
    expect(await harness.found('algorithm shortest')).to.deep.equal([]);
  });

  it('gives time, text and box, and the facts of the video', async () => {
    await using harness = await SearchHarness.open([{ texts: ['a', 'Payment failed'], fileName: 'checkout.mp4' }]);
    const { hits, isComplete, next } = await harness.search('payment');
    expect({ hits, isComplete, next }).to.deep.equal({
      hits: [
        {
          jobId: jobIdOf(1),
          fileName: 'checkout.mp4',
          createdAt: '2026-01-01T00:00:00.000Z',
          isExact: true,
          isInName: false,
          matches: 1,
          segments: [
            {
              kind: 'text',
              start_ms: 1_000,
              end_ms: 2_000,
              text: 'Payment failed',
              confidence: 0.9,
              bbox: [10, 20, 300, 40],
              frames: 5,
            },
          ],
        },
      ],
      isComplete: true,
      next: undefined,
    });
  });

  it('finds phrases only where their words follow each other', async () => {
    await using harness = await SearchHarness.open([{ texts: ['to be or not to be', 'be not afraid', 'not to be'] }]);
    expect(await harness.found('"not to be"')).to.deep.equal([['to be or not to be', 'not to be']]);
    expect(await harness.found('"be not"')).to.deep.equal([['be not afraid']]);
    expect(await harness.found('"be not" to')).to.deep.equal([]);
  });

  it('treats joined words as a phrase', async () => {
    await using harness = await SearchHarness.open([{ texts: ['E_CARD_DECLINED', 'declined card e'] }]);
    expect(await harness.found('e_card_declined')).to.deep.equal([['E_CARD_DECLINED']]);
    expect(await harness.found('card/declined')).to.deep.equal([['E_CARD_DECLINED']]);
  });

  it('ignores case, diacritics and forms of letters', async () => {
    await using harness = await SearchHarness.open([{ texts: ['Ça où niños Łódź', 'ΣΟΦΟΣ', 'ＡＢＣ １２', 'Æther'] }]);
    for (const query of ['ca', 'OU', 'ninos', 'lodz', 'ŁÓDŹ', 'σοφός', 'abc', '12', 'æther']) {
      expect(await harness.found(query), query).to.have.lengthOf(1);
    }
  });

  it('allows one wrong, missing or added letter in words of five or more, and puts exact hits first', async () => {
    await using harness = await SearchHarness.open([
      { texts: ['StraBe'] },
      { texts: ['Strafe', 'Straße', 'trafe'] },
      { texts: ['Straaße', 'Straß', 'Stroge'] },
      { texts: ['Gate'] },
    ]);
    expect(await harness.found('Straße')).to.deep.equal([['Straße', 'Strafe'], ['Straaße', 'Straß'], ['StraBe']]);
    expect(await harness.found('late')).to.deep.equal([]);
  });

  it('never confuses digits', async () => {
    await using harness = await SearchHarness.open([{ texts: ['10234', '10235', 'room1234', 'room1235', 'l0gin'] }]);
    expect(await harness.found('10234')).to.deep.equal([['10234']]);
    expect(await harness.found('room1234')).to.deep.equal([['room1234']]);
    expect(await harness.found('login')).to.deep.equal([['l0gin']]);
  });

  it('allows a wrong letter within a phrase', async () => {
    await using harness = await SearchHarness.open([{ texts: ['Payment fai1ed', 'Payment failed', 'failed Payment'] }]);
    expect(await harness.found('"payment failed"')).to.deep.equal([['Payment failed', 'Payment fai1ed']]);
  });

  it('finds a phrase whose words are repeated, and two phrases in one text', async () => {
    await using harness = await SearchHarness.open([
      { texts: ['no no never again', 'no never no', 'never again no no', 'again never', 'no no'] },
    ]);
    expect(await harness.found('"no no never"')).to.deep.equal([['no no never again']]);
    expect(await harness.found('"no no" "never again"')).to.deep.equal([['no no never again', 'never again no no']]);
    expect(await harness.found('"no no" never')).to.deep.equal([['no no never again', 'never again no no']]);
    expect((await harness.search('no')).hits[0]?.matches).to.equal(4);
  });

  it('finds characters of scripts without spaces one after the other', async () => {
    await using harness = await SearchHarness.open([{ texts: ['最短路径算法', '路短'] }]);
    expect(await harness.found('短路')).to.deep.equal([['最短路径算法']]);
  });

  it('finds words on different lines that are shown together, unless a line has them all', async () => {
    await using harness = await SearchHarness.open([
      {
        texts: ['I will meet you', 'at the gate', 'you at the gate'],
        scenes: [['I will meet you', 'at the gate'], ['alone'], ['here', 'you at the gate']],
      },
    ]);
    expect(await harness.found('"you at the gate"')).to.deep.equal([
      ['I will meet you / at the gate', 'you at the gate'],
    ]);
    expect(await harness.found('meet')).to.deep.equal([['I will meet you']]);
    expect(await harness.found('alone')).to.deep.equal([]);
  });

  it('finds labels, and videos that have both a text and a label', async () => {
    await using harness = await SearchHarness.open([
      { labels: ['car', 'traffic light', 'car'] },
      { labels: ['dog', 'car'], texts: ['EXIT'] },
      { texts: ['car', 'exit'] },
    ]);
    expect(await harness.found({ label: 'Car' })).to.deep.equal([['car'], ['car', 'car']]);
    expect(await harness.found({ label: 'traffic light' })).to.deep.equal([['traffic light']]);
    expect(await harness.found({ label: 'light' })).to.deep.equal([]);
    expect(await harness.found({ label: 'car', text: 'exit' })).to.deep.equal([['EXIT', 'car']]);
  });

  it('finds videos by name and tag, without a segment', async () => {
    await using harness = await SearchHarness.open([
      { fileName: 'Lecture_07.mp4', tag: 'Algorithms', texts: ['nothing'] },
      { fileName: 'other.mp4', texts: ['lecture'] },
    ]);
    const { hits } = await harness.search('lecture');
    expect(hits.map(({ isInName, matches }) => ({ isInName, matches }))).to.deep.equal([
      { isInName: false, matches: 1 },
      { isInName: true, matches: 0 },
    ]);
    expect((await harness.search('algorithms 07')).hits).to.have.lengthOf(1);
  });

  it('filters by time of acceptance and pipeline', async () => {
    await using harness = await SearchHarness.open([
      { texts: ['exit'] },
      { texts: ['exit'], pipelineId: "it's" },
      { texts: ['exit'] },
    ]);
    const ids = async (query: object) =>
      (await harness.search({ text: 'exit', ...query })).hits.map(({ jobId }) => jobId);
    expect(await ids({ from: '2026-01-02T00:00:00.000Z' })).to.deep.equal([jobIdOf(3), jobIdOf(2)]);
    expect(await ids({ to: '2026-01-03T00:00:00.000Z' })).to.deep.equal([jobIdOf(2), jobIdOf(1)]);
    expect(await ids({ pipelineId: "it's" })).to.deep.equal([jobIdOf(2)]);
  });

  it('pages through all hits, exact ones first', async () => {
    const texts = ['Strasse', 'Strase', 'strasse', 'Strassee', 'STRASSE', 'Stresse', 'Strasse'];
    await using harness = await SearchHarness.open(texts.map((text) => ({ texts: [text] })));
    const pages: string[][] = [];
    for (let after; ;) {
      const { hits, next } = await harness.search({ text: 'strasse', limit: 2, after });
      pages.push(hits.map(({ jobId }) => jobId));
      after = next;
      if (after === undefined) break;
    }
    const expected = [[7, 5], [3, 1], [6, 4], [2]].map((page) => page.map((n) => String(jobIdOf(n))));
    expect(pages).to.deep.equal(expected);
  });

  it('lists twenty segments of a video and counts all', async () => {
    await using harness = await SearchHarness.open([{ texts: Array.from({ length: 50 }, (_, at) => `goal ${at}`) }]);
    const [hit] = (await harness.search('goal')).hits;
    expect(hit?.segments).to.have.lengthOf(20);
    expect(hit?.matches).to.equal(50);
  });

  it('rejects a text without words or with too many', async () => {
    await using harness = await SearchHarness.open([{ texts: ['a'] }]);
    expect((await refusalOf(harness.search('…'))).code).to.equal('invalid_request');
    const many = Array.from({ length: 31 }, (_, at) => `w${at}`).join(' ');
    expect((await refusalOf(harness.search(many))).code).to.equal('invalid_request');
  });

  it('treats every character of a query as text', async () => {
    await using harness = await SearchHarness.open([{ texts: ["it's 100% [done] (now) a|b \\d $1"] }]);
    for (const query of ["it's", '100%', '[done]', '(now)', 'a|b', '"$1"', "'; DROP TABLE words; --now"]) {
      const { hits } = await harness.search(query);
      expect(hits.length, query).to.equal(query.includes('DROP') ? 0 : 1);
    }
  });
});
