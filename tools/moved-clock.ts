// Loaded into a service before its program (`node --import`): each SIGUSR2 moves the clock that its JavaScript sees, a day
// ahead, to where it was, a day back, and to where it was. Timers go on, as they do when the clock of a machine is set.
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
