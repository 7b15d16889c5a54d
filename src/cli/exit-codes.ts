/** What the process says when it ends. Stable: scripts branch on them. */
export const EXIT = {
  ok: 0,
  error: 1,
  /** Wrong usage or configuration: nothing was tried. */
  usage: 2,
  notFound: 3,
  siblings: 4,
  quorumNotMet: 5,
  /** A mistake of our own (sysexits' EX_SOFTWARE): the process ended at once, as after a crash. */
  bug: 70,
} as const;
