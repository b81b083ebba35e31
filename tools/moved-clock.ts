// Preloaded into a service (`node --import`): each SIGUSR2 moves its JavaScript clock, a day ahead, back, a day back,
// and back again. Timers are not affected, as when the clock of a machine is set.
const DAY_MS = 86_400_000;
const OFFSETS_MS = [0, DAY_MS, 0, -DAY_MS];
const TrueDate = Date;
let turn = 0;

function now(): number {
  return TrueDate.now() + (OFFSETS_MS[turn % OFFSETS_MS.length] ?? 0);
}

globalThis.Date = new Proxy(TrueDate, {
  construct: (target, given, newTarget) => Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget),
  apply: () => new TrueDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
});

process.on('SIGUSR2', () => {
  turn += 1;
});
