import { expect } from 'chai';
import { and, createMachine, type AnyStateNode } from 'xstate';
import { jobMachine } from '../../machines/job.ts';
import { toMermaid, transitionsOf } from '../../machines/mermaid.ts';
import { workerMachine } from '../../machines/worker.ts';

/** Returns the name in the diagram of every state below a state. */
function namesUnder(node: AnyStateNode): readonly string[] {
  return Object.values(node.states).flatMap((child) => [child.path.join('_'), ...namesUnder(child)]);
}

describe('machines as Mermaid', () => {
  it('every state of a machine is declared once, and every transition of its definition is an arrow', () => {
    for (const machine of [jobMachine, workerMachine]) {
      const drawn = toMermaid(machine);
      for (const name of namesUnder(machine.root)) {
        const declaration = new RegExp(String.raw`state (".*" as )?${name}( \{)?$`, 'gm');
        expect(drawn.match(declaration), name).to.have.lengthOf(1);
      }
      const arrows = drawn.split('\n').filter((line) => line.includes(' --> ') && line.includes(' : '));
      expect(arrows).to.have.lengthOf(transitionsOf(machine).length);
    }
  });

  it('every transition has a description', () => {
    for (const transition of [...transitionsOf(jobMachine), ...transitionsOf(workerMachine)]) {
      expect(transition.description, `${transition.from} ${transition.event}`).not.to.equal('');
    }
  });

  it('a job starts pending, and its ends are completed and failed', () => {
    const drawn = toMermaid(jobMachine);
    expect(drawn.match(/^\s*\[\*\] --> .*$/gm)).to.deep.equal(['  [*] --> pending']);
    expect(drawn.match(/^.* --> \[\*\]$/gm)).to.deep.equal(['  completed --> [*]', '  failed --> [*]']);
  });

  it('delays, actors, guards, self-transitions and `always` have their names', () => {
    const machine = createMachine({
      initial: 'a',
      states: {
        a: {
          always: { guard: 'isDone', target: 'b' },
          invoke: { src: 'work', onDone: 'b', onError: { target: 'b', guard: { type: 'isLast' } } },
          after: { 500: { target: 'b', guard: and(['x', 'y']), description: 'Both.' } },
          on: { PING: { guard: () => true } },
        },
        b: {},
      },
    });
    const told = transitionsOf(machine).map(({ from, event, guard, to }) => `${from} ${event} [${guard}] ${to}`);
    expect(told).to.have.members([
      'a PING [guarded] a',
      'a done(work) [] b',
      'a error(work) [isLast] b',
      'a after 500 [Both] b',
      'a always [isDone] b',
    ]);
  });

  it('arrows are in the innermost state that contains both ends', () => {
    const machine = createMachine({
      initial: 'outer',
      states: {
        outer: { initial: 'one', states: { one: { on: { NEXT: 'two', LEAVE: '#gone' } }, two: {} } },
        gone: { id: 'gone', type: 'final' },
      },
    });
    expect(toMermaid(machine)).to.equal(
      [
        'stateDiagram-v2',
        '  [*] --> outer',
        '  state outer {',
        '    [*] --> outer_one',
        '    state "one" as outer_one',
        '    state "two" as outer_two',
        '    outer_one --> outer_two : NEXT',
        '  }',
        '  state gone',
        '  outer_one --> gone : LEAVE',
        '  gone --> [*]',
      ].join('\n'),
    );
  });
});
