import { makeVideo } from './make-video.ts';
import type { Caption } from './video-recipe.ts';

/** The sample that the pages offer on the first visit: `node dist/tools/sample-lecture.js src/web/sample/sample.mp4` */

const WIDTH = 960;
const HEIGHT = 540;
const FPS = 5;
const SLIDE_SECONDS = 4;

const SLIDES: readonly (readonly string[])[] = [
  ['Shortest paths', 'Algorithms, lecture 7'],
  ["Dijkstra's algorithm", 'Start at the source', 'Settle the nearest node', 'Relax the edges that leave it'],
  ['How fast is it?', 'A binary heap: O(m log n)', 'A plain list: O(n * n)'],
  ['Bellman-Ford', 'Allows negative edges', 'Finds negative cycles'],
  ['A* search', 'Dijkstra with an estimate', 'Never worse, often faster'],
  ['Homework', 'Exercises 3 to 7', 'Due on 14 March'],
];

/** Slides as of a lecture, four seconds each. */
export function makeSampleLecture(path: string): void {
  const perSlide = SLIDE_SECONDS * FPS;
  makeVideo({
    path,
    width: WIDTH,
    height: HEIGHT,
    fps: FPS,
    frames: SLIDES.length * perSlide,
    picture: `gradients=c0=0x1b2452:c1=0x3b1f5c:c2=0x14304f:nb_colors=3:speed=0.004:seed=7`,
    captions: SLIDES.flatMap((lines, slide) => captionsOf(lines, slide * perSlide, (slide + 1) * perSlide - 1)),
    encoderOptions: { crf: 30, preset: 'slow', tune: 'stillimage' },
    muxerOptions: { movflags: '+faststart' },
  });
}

function captionsOf([title = '', ...lines]: readonly string[], from: number, to: number): readonly Caption[] {
  return [
    { text: title, x: 80, y: 90, size: 64, color: 'white', from, to },
    ...lines.map((text, index) => ({ text, x: 84, y: 220 + index * 74, size: 38, color: '0xd5dbff', from, to })),
  ];
}

const [target] = process.argv.slice(2);
if (process.argv[1]?.endsWith('sample-lecture.js') === true && target !== undefined) makeSampleLecture(target);
