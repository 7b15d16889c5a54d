/** How hints are brought to their owner, unless there are clients. */
export const HINT_METHODS: readonly string[] = ['replicate'];
export const EXCHANGE_METHODS: readonly string[] = ['sync', 'missing', 'compare'];
