/**
 * The verdicts of `--assert`: `p99<50ms, failed==0`. Pure.
 *
 * A list of comparisons between one metric and one quantity; all of them must hold. Arithmetic between metrics is left
 * out on purpose: `--json` and jq do that better.
 */
import { GiraffeError } from '../errors/giraffe-error.ts';
import { type Metric, type MetricSource, metricNames, metricOf } from './metrics.ts';
import { inBaseUnit, type QuantityKind, quantityText, unitsText } from './quantity.ts';

const operators = {
  '<=': (seen: number, wanted: number) => seen <= wanted,
  '>=': (seen: number, wanted: number) => seen >= wanted,
  '==': (seen: number, wanted: number) => seen === wanted,
  '!=': (seen: number, wanted: number) => seen !== wanted,
  '<': (seen: number, wanted: number) => seen < wanted,
  '>': (seen: number, wanted: number) => seen > wanted,
  '=': (seen: number, wanted: number) => seen === wanted,
} as const;

/** One comparison. */
export interface Assertion {
  /** As it was written, without blanks around. */
  readonly text: string;
  /** The way of `--compare` that it is about; undefined for all of them. */
  readonly way: string | undefined;
  readonly metric: Metric;
  readonly operator: keyof typeof operators;
  /** In the base unit of its kind. */
  readonly wanted: number;
  readonly kind: QuantityKind;
}

/** What became of a comparison. */
export interface Verdict {
  readonly assertion: string;
  readonly holds: boolean;
  /** The way it was tried on; undefined when there is only one. */
  readonly way: string | undefined;
  /** What was seen and what was wanted, in the base unit (ms, octets, per second, share). */
  readonly seen: number | undefined;
  readonly wanted: number;
  /** The same for people. */
  readonly seenText: string;
}

/** What the expression may be about. */
export interface AssertionScope {
  /** Ways of `--compare`; empty when nothing is compared. */
  readonly ways: readonly string[];
  readonly scenario: string | undefined;
}

/**
 * Parses an expression.
 *
 * @throws {GiraffeError} GIR_ERR_USAGE with the place, counted in characters from 1, and what is accepted there.
 */
export function parseAssertions(text: string, scope: AssertionScope): Assertion[] {
  const parser = new AssertionParser(text, scope);
  return parser.parse();
}

/** Tries a comparison on a result. */
export function judge(assertion: Assertion, source: MetricSource, way: string | undefined): Verdict {
  const { metric, operator, wanted, kind, text } = assertion;
  const seen = metric.read(source, kind);
  return {
    assertion: text,
    holds: seen !== undefined && operators[operator](seen, wanted),
    way,
    seen,
    wanted,
    seenText: seen === undefined ? 'nothing' : quantityText(seen, kind),
  };
}

class AssertionParser {
  readonly #text: string;
  readonly #scope: AssertionScope;
  #at = 0;

  constructor(text: string, scope: AssertionScope) {
    this.#text = text;
    this.#scope = scope;
  }

  parse(): Assertion[] {
    const assertions = [this.#comparison()];
    while (this.#at < this.#text.length) {
      if (this.#scan(/,/y) === '') throw this.#wrong(this.#at, 'a comma or the end is expected');
      assertions.push(this.#comparison());
    }
    return assertions;
  }

  #comparison(): Assertion {
    this.#skipBlanks();
    const start = this.#at;
    const name = this.#scan(/[A-Za-z][\w.-]*/y);
    if (name === '') throw this.#wrong(start, 'a metric is expected, such as p99, failed or rps');
    const { way, metric } = this.#metric(name, start);
    this.#skipBlanks();
    const operator = this.#scan(/<=|>=|==|!=|<|>|=/y);
    if (operator === '') throw this.#wrong(this.#at, `${Object.keys(operators).join(' ')} is expected`);
    this.#skipBlanks();
    const { wanted, kind } = this.#quantity(metric);
    const text = this.#text.slice(start, this.#at);
    this.#skipBlanks();
    return { text, way, metric, operator: operator as keyof typeof operators, wanted, kind };
  }

  #metric(name: string, start: number): { way: string | undefined; metric: Metric } {
    const { ways, scenario } = this.#scope;
    const way = ways.find((candidate) => name.startsWith(`${candidate}.`));
    const bare = way === undefined ? name : name.slice(way.length + 1);
    const metric = metricOf(bare, scenario);
    if (metric !== undefined) return { way, metric };
    throw this.#wrong(start, `there is no metric ${name}; there are ${metricNames(scenario).join(', ')}`);
  }

  #quantity(metric: Metric): { wanted: number; kind: QuantityKind } {
    const start = this.#at;
    const digits = this.#scan(/[0-9]+(?:\.[0-9]+)?/y);
    if (digits === '') throw this.#wrong(start, `a number is expected, such as ${example[metric.kinds[0] ?? 'count']}`);
    this.#skipBlanks();
    const unit = this.#scan(/[%/A-Za-zµ]+/y);
    for (const kind of metric.kinds) {
      const wanted = inBaseUnit(Number(digits), unit, kind);
      if (wanted !== undefined) return { wanted, kind };
    }
    const units = metric.kinds.map(unitsText).join(', ');
    const problem = unit === '' ? `${metric.name} needs a unit` : `${metric.name} is not measured in ${unit}`;
    throw this.#wrong(start, `${problem}; accepted are ${units}`);
  }

  #scan(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += match.length;
    return match;
  }

  #skipBlanks(): void {
    this.#scan(/\s+/y);
  }

  #wrong(at: number, what: string): GiraffeError {
    const rest = this.#text.slice(at);
    const place = rest === '' ? 'at its end' : `at character ${at + 1} (${JSON.stringify(rest.slice(0, 20))})`;
    return new GiraffeError('GIR_ERR_USAGE', `--assert ${JSON.stringify(this.#text)}, ${place}: ${what}`);
  }
}

const example: Readonly<Record<QuantityKind, string>> = {
  count: '0',
  time: '50ms',
  rate: '1000req/s',
  bytes: '1MB',
  'byte-rate': '100MB/s',
  share: '1%',
  ratio: '2x',
};
