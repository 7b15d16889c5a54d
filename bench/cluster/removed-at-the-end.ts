/** Something outside this process that must not outlive it. */
export interface Removable {
  remove(): Promise<void>;
  /** For the last moment of the process, in which nothing can be waited for. */
  removeNow(): void;
}

/** In which order they came to be. */
const remaining = new Set<Removable>();
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/**
 * Has it removed when this process ends by SIGINT, SIGTERM or SIGHUP, by `process.exit` or by an error that nobody caught.
 * A signal does afterwards what it would have done otherwise. Returns what to call once it was removed.
 */
export function removedAtTheEnd(removable: Removable): () => void {
  if (remaining.size === 0) watch();
  remaining.add(removable);
  return () => {
    if (remaining.delete(removable) && remaining.size === 0) unwatch();
  };
}

function watch(): void {
  for (const signal of SIGNALS) process.on(signal, removeAll);
  process.on('exit', removeAllNow);
}

function unwatch(): void {
  for (const signal of SIGNALS) process.off(signal, removeAll);
  process.off('exit', removeAllNow);
}

/** At a second signal what is left is removed at the end of the process. */
async function removeAll(signal: NodeJS.Signals): Promise<void> {
  for (const name of SIGNALS) process.off(name, removeAll);
  try {
    await Promise.all([...remaining].map((removable) => removable.remove()));
  } finally {
    process.kill(process.pid, signal);
  }
}

function removeAllNow(): void {
  for (const removable of remaining) removable.removeNow();
}
