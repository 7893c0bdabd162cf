/**
 * The routing strategy `rules`: a list, of which the first rule that a request fits says how it is served. Requests that
 * fit none are served as by the strategy `hybrid`.
 *
 * Rules route; they protect nothing: an origin may read a path in other ways than they do.
 */
import * as z from 'zod';
import {
  type Candidate,
  defineExtension,
  extensionApiVersion,
  type FixedAnswer,
  type NonEmpty,
  type RoutingRequest,
  type RoutingStrategy,
} from '../../extension/index.ts';
import { isToken } from '../../http/head-syntax.ts';
import { hybridChoice, hybridOptions, transportName } from './hybrid.ts';
import { leastInFlight } from './preference.ts';
import { type Check, checksOf, conditionSchema } from './rule-match.ts';

const framingFields = ['connection', 'content-length', 'date', 'transfer-encoding', 'trailer', 'upgrade'];

const useSchema = z
  .strictObject({
    transport: z
      .enum(['grpc', 'tcp'])
      .optional()
      .describe('Transport; the other one when it is down. Default as the strategy hybrid has it.'),
    label: z
      .string()
      .regex(/^[a-z0-9._=-]{1,63}$/, '1 to 63 of a-z, 0-9, dot, _, = and -')
      .optional()
      .describe('Only agents with this label (giraffe tunnel --label); 503 when there is none.'),
    target: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'the name of a target')
      .optional()
      .describe(
        "Another service of the endpoint, by its name in the agent's tunnels.NAME.targets; 404 when it has none.",
      ),
    urgency: z
      .int()
      .min(0)
      .max(7)
      .optional()
      .describe(
        'Priority beside other requests of the same agent, as in RFC 9218: from 0, whose bodies go first, to 7, whose ' +
          'bodies wait for the others. Default 3.',
      ),
  })
  .describe('How agents serve the request.');

const answerSchema = z
  .strictObject({
    status: z.int().min(200).max(599).describe('Status code, from 200 to 599.'),
    headers: z
      .record(
        z
          .string()
          .refine(
            (name) => isToken(name) && !framingFields.includes(name.toLowerCase()),
            'a field that does not frame the answer',
          ),
        z.string().regex(/^[\t\x20-\x7e]*$/, 'a value in ASCII without line breaks'),
      )
      .default({})
      .describe('Header fields of the answer.'),
    body: z.string().max(65_536).default('').describe('Body of the answer, up to 65,536 characters.'),
  })
  .describe('An answer that no agent is asked for.');

const ruleSchema = z
  .strictObject({
    name: z.string().min(1).max(100).optional().describe('A name, for explanations.'),
    when: conditionSchema.default({}),
    use: useSchema.optional(),
    answer: answerSchema.optional(),
  })
  .refine(({ use, answer }) => (use === undefined) !== (answer === undefined), 'either use or answer, not both')
  .describe('One rule.');

const optionsSchema = z.strictObject({
  rules: z.array(ruleSchema).max(1000).default([]).describe('The rules; the first one that a request fits counts.'),
  ...hybridOptions,
});

/** Options of the strategy, defaults filled in. */
export type RulesOptions = z.output<typeof optionsSchema>;

interface Rule {
  /** `rule 2 (maintenance)`. */
  readonly title: string;
  readonly checks: readonly Check[];
  readonly use: z.output<typeof useSchema>;
  readonly answer: FixedAnswer | undefined;
}

/** Creates the strategy. */
export function createRulesStrategy(options: RulesOptions): RoutingStrategy {
  const rules = options.rules.map(ruleOf);
  let turn = 0;
  const find = (request: RoutingRequest) => rules.find(({ checks }) => checks.every((check) => check(request)));
  return {
    answer: (request) => find(request)?.answer,
    select(candidates, request) {
      const { label, target, urgency, transport = hybridChoice(options, request).transport } = find(request)?.use ?? {};
      const fit = label === undefined ? candidates : withLabel(candidates, label);
      if (fit === undefined) return { candidate: undefined };
      turn = (turn + 1) % fit.length;
      return { candidate: leastInFlight(fit, transport, turn), target, urgency };
    },
    explain(request) {
      const rule = find(request);
      const { transport, reason } = hybridChoice(options, request);
      if (rule === undefined) return `no rule fits: over ${transportName(transport)}, because ${reason()}`;
      const why = rule.checks.map((check) => check(request)).join(' and ') || 'it is for every request';
      const { use, answer } = rule;
      const how = answer === undefined ? useText(use, transportName(use.transport ?? transport)) : answerText(answer);
      return `${rule.title} fires, because ${why}: ${how}`;
    },
  };
}

function ruleOf({ name, when, use = {}, answer }: RulesOptions['rules'][number], index: number): Rule {
  return {
    title: name === undefined ? `rule ${index + 1}` : `rule ${index + 1} (${name})`,
    checks: checksOf(when),
    use,
    answer: answer && { status: answer.status, fields: Object.entries(answer.headers), body: answer.body },
  };
}

function withLabel(candidates: NonEmpty<Candidate>, label: string): NonEmpty<Candidate> | undefined {
  const [first, ...rest] = candidates.filter(({ labels }) => labels.includes(label));
  return first && [first, ...rest];
}

function useText({ label, target, urgency }: Rule['use'], transport: string): string {
  const agents = label === undefined ? 'any agent' : `an agent with the label ${label}`;
  const toTarget = target === undefined ? '' : `, to its target ${target}`;
  return `${agents}, over ${transport}${toTarget}${urgency === undefined ? '' : `, with urgency ${urgency}`}`;
}

function answerText({ status, body }: FixedAnswer): string {
  return `the edge answers ${status} by itself, with a body of ${Buffer.byteLength(body)} bytes`;
}

/** The strategy as an extension. */
export const rules = defineExtension({
  apiVersion: extensionApiVersion,
  kind: 'routing-strategy',
  name: 'rules',
  summary: 'A list of rules over host, path, method, header fields and client network; else as hybrid.',
  options: optionsSchema,
  create: async (options) => createRulesStrategy(options),
});
