/**
 * Turns what is known of an agent, such as the claims of its token, into the endpoints it may serve.
 *
 * A placeholder stands for exactly one label of a host. A value that is none, such as `acme/web` or `*`, makes the
 * pattern grant nothing: to turn it into something similar would let one agent take the name of another.
 */
import * as z from 'zod';
import { isEndpointPattern } from '../../state/endpoint-pattern.ts';

const placeholder = /\{([^{}]+)\}/g;
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A pattern of endpoints that may hold placeholders: `app.example.com`, `*.example.com`, `{name}.example.com`. */
export const endpointTemplate = z
  .string()
  .refine((text) => isEndpointPattern(text.replaceAll(placeholder, 'x')), 'is not a host, *.host or *');

/**
 * Returns the patterns that the templates make, without those whose placeholders have no fitting value.
 *
 * @param value Returns what a placeholder's name stands for; undefined when there is nothing.
 */
export function grantedEndpoints(
  templates: readonly string[],
  value: (name: string) => string | undefined,
): readonly string[] {
  return templates.flatMap((template) => {
    let isWhole = true;
    const pattern = template.replaceAll(placeholder, (_text, name: string) => {
      const filled = value(name)?.toLowerCase() ?? '';
      if (!label.test(filled)) isWhole = false;
      return filled;
    });
    return isWhole && isEndpointPattern(pattern) ? [pattern] : [];
  });
}
