/** A row of buttons of which one is chosen. */
import type { ComponentChildren } from 'preact';

/** What can be chosen. */
export interface SegmentsProps<Name extends string> {
  /** What the choice is about. */
  readonly legend: string;
  readonly choices: readonly { readonly name: Name; readonly label: string }[];
  readonly chosen: Name | undefined;
  readonly onChoose: (name: Name) => void;
  /** Behind the buttons. */
  readonly children?: ComponentChildren;
}

/** The row. */
export function Segments<Name extends string>({ legend, choices, chosen, onChoose, children }: SegmentsProps<Name>) {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{legend}</legend>
      {choices.map(({ name, label }) => (
        <button type="button" key={name} class="segment" aria-pressed={name === chosen} onClick={() => onChoose(name)}>
          {label}
        </button>
      ))}
      {children}
    </fieldset>
  );
}
