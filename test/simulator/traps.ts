/**
 * While a world runs, the real machine's time, chance and timers are out of reach: whoever asks for them instead of its ports makes
 * the run depend on the moment, and gets an error.
 */
const TRAPPED = ['setTimeout', 'setInterval', 'setImmediate', 'fetch'] as const;

/** Sets the traps; the result takes them away. */
export function setTraps(): () => void {
  const kept = TRAPPED.map((name) => [name, globalThis[name]] as const);
  const { Date: date } = globalThis;
  const { random } = Math;
  const { now } = performance;
  for (const name of TRAPPED) Object.assign(globalThis, { [name]: trap(name) });
  globalThis.Date = new Proxy(date, {
    construct(target, args, newTarget) {
      if (args.length === 0) trap('new Date()')();
      return Reflect.construct(target, args, newTarget);
    },
    get: (target, name) => (name === 'now' ? trap('Date.now') : Reflect.get(target, name)),
  });
  Math.random = trap('Math.random');
  performance.now = trap('performance.now');
  return () => {
    for (const [name, original] of kept) Object.assign(globalThis, { [name]: original });
    globalThis.Date = date;
    Math.random = random;
    performance.now = now;
  };
}

function trap(name: string): () => never {
  return () => {
    throw new Error(`${name} was used in a simulated world: ask the port`);
  };
}
