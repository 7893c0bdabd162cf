/** A header or trailer section as a table, every line as it came. */
import type { FieldLines } from '../../src/http/field-line.ts';

/** What is shown. */
export interface FieldTableProps {
  readonly title: string;
  readonly fields: FieldLines;
}

/** Can be folded; open at first. */
export function FieldTable({ title, fields }: FieldTableProps) {
  if (fields.length === 0) return null;
  return (
    <details class="section" open>
      <summary>
        {title} <span class="muted">{fields.length}</span>
      </summary>
      <dl class="fields">
        {fields.map(([name, value], index) => (
          <div key={index}>
            <dt>{name}</dt>
            <dd class={value.includes('[masked]') ? 'masked' : ''}>{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
