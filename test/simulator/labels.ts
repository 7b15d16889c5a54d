/** Kinds of events, for the event hash and the trace. */
export const LABEL = {
  timer: 1,
  deliver: 2,
  link: 3,
  disk: 4,
  operation: 5,
  fault: 6,
  probe: 7,
} as const;
