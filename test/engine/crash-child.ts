/** A process that runs the scenario and kills itself at one step. Arguments: folder, step. */
import { runScenario } from './crash-scenario.ts';

const [, , folder = '', fatalStep = ''] = process.argv;
await runScenario(folder, (step) => {
  if (step === fatalStep) process.kill(process.pid, 'SIGKILL');
});
