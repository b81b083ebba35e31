import path from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, ServiceError } from '../src/errors.ts';
import { MODEL_FORMATS, ModelCatalogue } from '../src/pipeline/models/model-catalogue.ts';
import { ModelFolder } from '../src/pipeline/models/model-folder.ts';

const HELP = `Manages the object detectors that pipelines may use, in DATA_DIR/models (DATA_DIR is ./data by default).
A running service sees a change when it is started again.

  npm run models -- list
  npm run models -- add NAME --from FILE --format ${MODEL_FORMATS.join('|')} [--sha256 SUM] [--labels FILE]
  npm run models -- default NAME
  npm run models -- remove NAME

  --from FILE      the ONNX file; it is run once, checked and copied
  --format FORMAT  how it writes what it finds
  --sha256 SUM     the sum that the file must have
  --labels FILE    one label in each line; without it, the 80 labels of COCO

NAME is what the parameter \`model\` of the tool \`objects.detect\` takes. The default is the model of pipelines that name
none; \`npm run models -- default nanodet\` goes back to the built-in one.`;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: 'string' },
      format: { type: 'string' },
      sha256: { type: 'string' },
      labels: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [command, name, ...rest] = positionals;
  if (values.help === true || command === undefined) {
    console.log(HELP);
    return;
  }
  if (rest.length > 0) throw new ServiceError('invalid_model', `too many arguments: ${rest.join(' ')}; see --help`);
  const folder = path.resolve(process.env['DATA_DIR'] ?? './data', 'models');
  if (command === 'list') {
    await list(folder);
    return;
  }
  if (name === undefined) throw new ServiceError('invalid_model', `${command} needs a NAME; see --help`);
  const models = new ModelFolder(folder);
  switch (command) {
    case 'add': {
      const format = MODEL_FORMATS.find((known) => known === values.format);
      if (values.from === undefined) throw new ServiceError('invalid_model', 'add needs --from FILE; see --help');
      if (!format) throw new ServiceError('invalid_model', `--format is one of ${MODEL_FORMATS.join(', ')}`);
      const { sha256, labels } = values;
      const added = await models.add({
        name,
        file: values.from,
        format,
        ...(sha256 !== undefined && { sha256 }),
        ...(labels !== undefined && { labelsFile: labels }),
      });
      console.log(`added ${added.name}: ${added.format}, ${added.labels.length} labels, sha256 ${added.sha256}`);
      return;
    }
    case 'default':
      await models.setDefault(name);
      console.log(`${name} is the default from the next start`);
      return;
    case 'remove':
      await models.remove(name);
      console.log(`removed ${name}`);
      return;
    default:
      throw new ServiceError('invalid_model', `there is no command ${command}; see --help`);
  }
}

async function list(folder: string): Promise<void> {
  const catalogue = new ModelCatalogue(folder);
  const chosen = await catalogue.defaultName();
  for (const { name, format, labels, sha256 } of await catalogue.list()) {
    const mark = name === chosen ? '  default' : '';
    console.log(`${name}  ${format}  ${labels.length} labels  sha256 ${sha256}${mark}`);
  }
}

try {
  await main();
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
