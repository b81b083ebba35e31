import { Command } from 'commander';

export function serveCommand(): Command {
  return new Command('serve')
    .description('run the service in the foreground, until Ctrl-C or SIGTERM')
    .addHelpText(
      'after',
      `
Its settings are environment variables, all optional: docs/CONFIGURATION.md.

Examples:
  reelstate serve
  PORT=9000 DATA_DIR=/srv/videos reelstate serve`,
    )
    .action(async () => {
      // Not before: what asks a service needs none of its parts.
      const { serve } = await import('../serve.ts');
      await serve(process.env);
    });
}
