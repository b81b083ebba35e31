import { expect } from 'chai';
import { planPipeline } from '../../src/pipeline/dag.ts';
import { pipelineDefinitionSchema } from '../../src/pipeline/definition.ts';
import { TOOLS } from '../../src/pipeline/tools/tools.ts';
import { expectRefusal } from './refusal.ts';

interface Sketch {
  readonly nodes: Readonly<Record<string, string>>;
  readonly params?: Readonly<Record<string, Readonly<Record<string, string | number>>>>;
  /** `from to` */
  readonly edges: readonly string[];
  readonly outputs: readonly string[];
}

function plan({ nodes, params = {}, edges, outputs }: Sketch) {
  const definition = pipelineDefinitionSchema.parse({
    id: 'sketch',
    description: 'a sketch',
    nodes: Object.entries(nodes).map(([id, tool]) => ({ id, tool, params: params[id] ?? {} })),
    edges: edges.map((edge) => {
      const [from, to] = edge.split(' ');
      return { from, to };
    }),
    outputs,
  });
  return planPipeline(definition, { source: 'sketch.yaml', tools: TOOLS, defaults: { detector: 'nanodet' } });
}

const DETECT = 'objects.detect';
const READ = 'ocr.read';
const INSIDE = { regions: 'detections' };

describe('a pipeline', () => {
  it('runs its nodes in topological order, declared in any order', () => {
    const { nodes } = plan({
      nodes: { text: READ, objects: DETECT },
      params: { text: INSIDE },
      edges: ['objects text', 'frame text', 'frame objects'],
      outputs: ['text'],
    });
    expect(nodes.map(({ id }) => id)).to.deep.equal(['objects', 'text']);
    expect(nodes[1]?.after).to.deep.equal(['objects']);
  });

  it('fills in every parameter', () => {
    const { nodes } = plan({ nodes: { objects: DETECT }, edges: ['frame objects'], outputs: ['objects'] });
    expect(nodes[0]?.tool.params).to.deep.equal({
      model: 'nanodet',
      min_confidence: 0.4,
      iou: 0.5,
      max_detections: 100,
    });
  });

  const refused: readonly [string, Sketch, ...string[]][] = [
    [
      'a cycle',
      {
        nodes: { one: READ, two: READ, three: READ },
        edges: ['frame one', 'one two', 'two three', 'three two'],
        outputs: ['three'],
      },
      'cycle',
      'three -> two -> three',
    ],
    [
      'a node that leads to itself',
      { nodes: { one: READ }, edges: ['frame one', 'one one'], outputs: ['one'] },
      'cycle',
    ],
    [
      'an unknown tool',
      { nodes: { ears: 'sound.hear' }, edges: ['frame ears'], outputs: ['ears'] },
      'node ears',
      'unknown tool sound.hear',
      READ,
    ],
    [
      'an edge to an unknown node',
      { nodes: { text: READ }, edges: ['frame text', 'frame eyes'], outputs: ['text'] },
      'node eyes',
    ],
    [
      'an edge from an unknown node',
      { nodes: { text: READ }, edges: ['frame text', 'eyes text'], outputs: ['text'] },
      'node eyes',
    ],
    ['an unknown output', { nodes: { text: READ }, edges: ['frame text'], outputs: ['eyes'] }, 'node eyes', 'output'],
    [
      'a node that the frame does not reach',
      { nodes: { text: READ, lost: DETECT }, edges: ['frame text'], outputs: ['text', 'lost'] },
      'node lost',
      'unreachable',
    ],
    [
      'a node that no output needs',
      { nodes: { text: READ, idle: DETECT }, edges: ['frame text', 'frame idle'], outputs: ['text'] },
      'node idle',
      'unreachable',
    ],
    [
      'a type mismatch',
      {
        nodes: { text: READ, objects: DETECT },
        edges: ['frame text', 'frame objects', 'text objects'],
        outputs: ['objects'],
      },
      'node objects',
      'type mismatch',
      'text gives text, lines',
      'takes frame',
    ],
    [
      'an input that no edge brings',
      { nodes: { text: READ }, params: { text: INSIDE }, edges: ['frame text'], outputs: ['text'] },
      'node text',
      'takes detections',
    ],
    [
      'an input that two edges bring',
      {
        nodes: { a: DETECT, b: DETECT, text: READ },
        params: { text: INSIDE },
        edges: ['frame a', 'frame b', 'frame text', 'a text', 'b text'],
        outputs: ['text'],
      },
      'node text',
      'from a and from b',
    ],
    [
      'a parameter out of range',
      { nodes: { text: READ }, params: { text: { min_confidence: 2 } }, edges: ['frame text'], outputs: ['text'] },
      'node text',
      'min_confidence',
    ],
    [
      'an unknown parameter',
      { nodes: { text: READ }, params: { text: { languge: 'en' } }, edges: ['frame text'], outputs: ['text'] },
      'node text',
      'languge',
    ],
    [
      'two outputs that give the same key',
      { nodes: { a: READ, b: READ }, edges: ['frame a', 'frame b'], outputs: ['a', 'b'] },
      'node b',
      'output a',
    ],
  ];
  for (const [what, sketch, ...parts] of refused) {
    it(`is refused for ${what}`, async () => {
      await expectRefusal(() => plan(sketch), 'invalid_pipeline', 'sketch.yaml', ...parts);
    });
  }
});
