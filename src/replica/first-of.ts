/** The first `limit` of them: those behind are not looked at. */
export function firstOf<T>(all: Iterable<T>, limit: number): readonly T[] {
  const first: T[] = [];
  for (const one of all) {
    if (first.length === limit) break;
    first.push(one);
  }
  return first;
}
