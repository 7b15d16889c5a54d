/** Something outside this process that must not outlive it. */
export interface Removable {
  /** In one step: in the last moment of a process nothing can be waited for. */
  removeNow(): void;
}

const remaining = new Set<Removable>();
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Has it removed when this process ends by SIGINT, SIGTERM or SIGHUP, by `process.exit` or by an error that nobody caught.
 * A signal does afterwards what it would have done otherwise. Returns what to call once it was removed before.
 */
export function removedAtTheEnd(removable: Removable): () => void {
  if (remaining.size === 0) watch();
  remaining.add(removable);
  return () => {
    if (remaining.delete(removable) && remaining.size === 0) unwatch();
  };
}

function watch(): void {
  for (const signal of SIGNALS) process.on(signal, endBy);
  process.on('exit', removeAll);
}

function unwatch(): void {
  for (const signal of SIGNALS) process.off(signal, endBy);
  process.off('exit', removeAll);
}

/** Nothing of the program runs in between, which would only report that its nodes are gone. */
function endBy(signal: NodeJS.Signals): void {
  removeAll();
  process.kill(process.pid, signal);
}

function removeAll(): void {
  for (const removable of remaining) removable.removeNow();
  remaining.clear();
  unwatch();
}
