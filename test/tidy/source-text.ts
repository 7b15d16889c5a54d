/** Just enough of a reading of TypeScript to look for words in code without being misled by comments and strings. */

export interface SourceFile {
  /** From the repository's root, with slashes: `src/core/ids.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Code that only tests use: tests, the contract suites that implementations share, builders. */
export function isTest(path: string): boolean {
  return path.startsWith('test/') || /(?:(?:\.test|\.contract|-builders)\.ts|\/test-[^/]*\.ts)$/.test(path);
}

/** A place and what is wrong there: `src/core/ids.ts:12: Date is ...`. */
export type Finding = string;

/** Before these a slash divides; after anything else it starts a regular expression. */
const VALUE_END = /[\w$)\]}]$/;
const OPERATOR_WORD = /\b(?:return|typeof|case|in|of|do|else|void|throw|new|delete|yield|await)$/;

/**
 * The text with comments and the insides of strings and regular expressions blanked, delimiters and positions kept. What stands in
 * a template's `${}` is code.
 */
export function blankOut(source: string): string {
  const scanner = new Scanner(source);
  scanner.code(undefined);
  return scanner.result();
}

/** Every module that is imported or re-exported, also for types only and dynamically. */
export function importsOf(source: string): readonly string[] {
  const code = blankOut(source);
  const pattern = /\b(?:import|export)\b[^'";]*?\bfrom\s*(['"])( *)\1|\bimport\s*\(?\s*(['"])( *)\3/dg;
  return [...code.matchAll(pattern)].flatMap(({ indices }) => {
    const [start, end] = indices?.[2] ?? indices?.[4] ?? [0, 0];
    return start === end ? [] : [source.slice(start, end)];
  });
}

/** Findings for every match of `pattern` in the code, with its line. */
export function findInCode(
  { path, text }: SourceFile,
  pattern: RegExp,
  describe: (match: string) => string,
): Finding[] {
  const code = blankOut(text);
  const global = new RegExp(pattern.source, `${pattern.flags.replace('g', '')}g`);
  return [...code.matchAll(global)].map(
    (match) => `${path}:${lineAt(code, match.index)}: ${describe(match[0].trim())}`,
  );
}

export function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}

class Scanner {
  private readonly source: string;
  private readonly out: string[] = [];
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  result(): string {
    return this.out.join('');
  }

  /** Code up to the `}` that ends a template's expression, or to the end of the file. */
  code(until: '}' | undefined): void {
    let depth = 0;
    while (this.at < this.source.length) {
      const character = this.source.charAt(this.at);
      if (character === until && depth === 0) return;
      if (character === '{') depth++;
      if (character === '}') depth--;
      this.token(character);
    }
  }

  private token(character: string): void {
    const next = this.source.charAt(this.at + 1);
    if (character === '/' && next === '/') this.blankUntil(this.indexOf('\n', this.at));
    else if (character === '/' && next === '*') this.blankUntil(this.indexOf('*/', this.at + 2) + 2);
    else if (character === "'" || character === '"') this.quoted(character);
    else if (character === '`') this.template();
    else if (character === '/' && this.startsExpression()) this.regularExpression();
    else this.keep();
  }

  private quoted(delimiter: string): void {
    this.keep();
    while (this.at < this.source.length && this.source.charAt(this.at) !== delimiter) this.blankOne();
    this.keep();
  }

  private template(): void {
    this.keep();
    while (this.at < this.source.length && this.source.charAt(this.at) !== '`') {
      if (!this.source.startsWith('${', this.at)) {
        this.blankOne();
        continue;
      }
      this.keep(2);
      this.code('}');
      this.keep();
    }
    this.keep();
  }

  private regularExpression(): void {
    this.keep();
    let inClass = false;
    while (this.at < this.source.length && (inClass || this.source.charAt(this.at) !== '/')) {
      const character = this.source.charAt(this.at);
      if (character === '[') inClass = true;
      if (character === ']') inClass = false;
      this.blankOne();
    }
    this.keep();
  }

  private startsExpression(): boolean {
    const before = this.out.slice(-200).join('').trimEnd();
    return !VALUE_END.test(before) || OPERATOR_WORD.test(before);
  }

  /** One character, or an escape and what it escapes. */
  private blankOne(): void {
    this.blankUntil(this.at + (this.source.charAt(this.at) === '\\' ? 2 : 1));
  }

  private blankUntil(end: number): void {
    this.out.push(this.source.slice(this.at, end).replace(/[^\n]/g, ' '));
    this.at = Math.min(end, this.source.length);
  }

  private keep(length = 1): void {
    this.out.push(this.source.slice(this.at, this.at + length));
    this.at += length;
  }

  private indexOf(text: string, from: number): number {
    const index = this.source.indexOf(text, from);
    return index === -1 ? this.source.length : index;
  }
}
