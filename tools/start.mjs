// `npm start`: builds if a source changed, then runs the service in this process. Plain JavaScript, since it runs before
// anything is compiled.

// A signal that comes before the service has its own handlers ends the start with the code of the signal.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(code);
  });
await import('./build.mjs');
await import('../dist/src/main.js');
