import { Command, Option } from 'commander';
import { parseConfig } from '../config.ts';
import type { AddedModel, Models } from '../maintenance/models.ts';
import type { Terminal } from './terminal.ts';

const FORMATS = [
  'nanodet',
  'yolox',
  'yolox_decoded',
  'yolov5',
  'yolov8',
  'yolov10',
  'rtdetr',
  'ppocr',
] satisfies AddedModel['format'][];
const KINDS = ['objects', 'text'] satisfies AddedModel['kind'][];

export function modelsCommand(terminal: Terminal): Command {
  const print = async (work: (models: Models) => Promise<readonly string[]>) => {
    // Imported here, because it loads the inference library.
    const { Models: Folder } = await import('../maintenance/models.ts');
    for (const line of await work(new Folder(parseConfig(process.env).DATA_DIR))) await terminal.print(line);
  };
  const command = new Command('models').description('manage object detectors and text recognisers').addHelpText(
    'after',
    `
Works on DATA_DIR/models (DATA_DIR is ./data by default). A running service reads it at its next start.
A detector is the parameter \`model\` of the tool objects.detect, a recogniser \`recogniser\` of ocr.read.
The default is the detector of pipelines that name none.

Examples:
  reelstate models add yolox_s --from yolox_s.onnx --format yolox
  reelstate models add latin --kind text --format ppocr --from rec.onnx --labels keys.txt`,
  );
  command
    .command('list')
    .description('list the models')
    .action(async () => print(async (models) => models.list()));
  command
    .command('add')
    .description('run a model once, check it and copy it')
    .argument('<name>', 'name of the new model')
    .requiredOption('--from <file>', 'ONNX file')
    .addOption(new Option('--format <format>', 'form of input and output').choices(FORMATS).makeOptionMandatory())
    .addOption(new Option('--kind <kind>', 'what it finds; by default what the format is for').choices(KINDS))
    .option('--sha256 <sum>', 'sum that the file must have')
    .option('--labels <file>', 'one label or character a line; default: the 80 labels of COCO')
    .action(async (name: string, options: AddedModel) => print(async (models) => models.add(name, options)));
  command
    .command('default')
    .description('choose the default detector')
    .argument('<name>', 'name of a detector')
    .action(async (name: string) => print(async (models) => models.setDefault(name)));
  command
    .command('remove')
    .description('remove a model')
    .argument('<name>', 'name of a model')
    .action(async (name: string) => print(async (models) => models.remove(name)));
  return command;
}
