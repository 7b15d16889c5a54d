interface MediaRange {
  readonly type: string;
  readonly q: number;
}

/**
 * The offer that an `Accept` header likes best, by the most specific range that covers it (RFC 9110 12.5.1); the earlier of equals.
 * Undefined when it takes none. Ranges that cannot be read are passed over; a header without a readable range takes all.
 */
export function preferredType(accept: string | undefined, offers: readonly string[]): string | undefined {
  const ranges = accept === undefined ? [] : accept.split(',').flatMap(parseRange);
  if (ranges.length === 0) return offers[0];
  let best: string | undefined;
  let bestQ = 0;
  for (const offer of offers) {
    const q = qualityOf(offer, ranges);
    if (q > bestQ) {
      best = offer;
      bestQ = q;
    }
  }
  return best;
}

function qualityOf(offer: string, ranges: readonly MediaRange[]): number {
  const family = `${offer.slice(0, offer.indexOf('/'))}/*`;
  for (const wanted of [offer, family, '*/*']) {
    const matching = ranges.filter((range) => range.type === wanted);
    if (matching.length > 0) return Math.max(...matching.map((range) => range.q));
  }
  return 0;
}

function parseRange(text: string): MediaRange[] {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  if (!/^[^\s/]+\/[^\s/]+$/.test(type)) return [];
  const weight = parameters.find((parameter) => parameter.startsWith('q='));
  if (weight === undefined) return [{ type, q: 1 }];
  return /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? [{ type, q: Number(weight.slice(2)) }] : [];
}
