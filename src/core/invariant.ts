/** A broken invariant: our own mistake, never the caller's input. It crashes the process and fails a simulation. */
export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** States what must hold here; throws {@link InvariantViolation} when it does not. */
export function invariant(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantViolation(what);
}

/** Marks a branch that no member of a union reaches. */
export function unreachable(value: never): never {
  throw new InvariantViolation(`unreachable: ${JSON.stringify(value)}`);
}
