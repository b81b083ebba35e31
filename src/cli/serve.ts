import { Command } from 'commander';

export function serveCommand(stop: AbortSignal): Command {
  return new Command('serve')
    .description('run the service in the foreground until Ctrl-C or SIGTERM')
    .addHelpText(
      'after',
      `
Settings are environment variables, all optional: see docs/CONFIGURATION.md.

Examples:
  reelstate serve
  PORT=9000 DATA_DIR=/srv/videos reelstate serve`,
    )
    .action(async () => {
      // Imported here, so that the other commands do not load the service.
      const { serve } = await import('../serve.ts');
      await serve(process.env, stop);
    });
}
