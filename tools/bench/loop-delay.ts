// Preloaded into a service (`node --import`): each SIGUSR2 prints how late its event loop was since the last one.
import { monitorEventLoopDelay } from 'node:perf_hooks';

const NS_PER_MS = 1e6;
const delay = monitorEventLoopDelay({ resolution: 1 });
delay.enable();

process.on('SIGUSR2', () => {
  const [p99, max] = [delay.percentile(99), delay.max].map((ns) => (ns / NS_PER_MS).toFixed(1));
  console.log(`event loop: p99 ${p99} ms, max ${max} ms`);
  delay.reset();
});
