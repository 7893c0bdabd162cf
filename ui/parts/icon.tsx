/** The few icons of the pages, drawn as strokes in a box of 24. Decorative: what they mean stands beside them as text. */

const paths = {
  back: 'M15 18l-6-6 6-6',
  close: 'M6 6l12 12M18 6L6 18',
  copy: 'M9 9V5.5A1.5 1.5 0 0 1 10.500 4h8A1.5 1.5 0 0 1 20 5.500v8a1.500 1.500 0 0 1-1.500 1.500H15M5.500 9h8A1.500 1.500 0 0 1 15 10.500v8a1.500 1.500 0 0 1-1.500 1.500h-8A1.500 1.500 0 0 1 4 18.500v-8A1.500 1.500 0 0 1 5.500 9z',
  download: 'M12 4v11m0 0l-4-4m4 4l4-4M5 19.500h14',
  edit: 'M4 20h4.500L19 9.500 14.500 5 4 15.500V20z',
  eye: 'M2.500 12S6 5.500 12 5.500 21.500 12 21.500 12 18 18.500 12 18.500 2.500 12 2.500 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  help: 'M9.200 9a2.900 2.900 0 1 1 4.300 2.600c-1 .5-1.500 1.100-1.500 2.200M12 17.300v.1M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
  leave: 'M14 4h4.500A1.500 1.500 0 0 1 20 5.500v13a1.500 1.500 0 0 1-1.500 1.500H14M10 16l4-4-4-4M14 12H4',
  plug: 'M9 3v5m6-5v5M6.500 8h11v3.500a5.500 5.500 0 0 1-11 0V8zM12 17v4',
  plus: 'M12 5v14M5 12h14',
  repeat: 'M4 11a8 8 0 0 1 14-4.500L20 9M20 4v5h-5M20 13a8 8 0 0 1-14 4.500L4 15M4 20v-5h5',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4',
  toClient: 'M19 12H5m0 0l5-5m-5 5l5 5',
  toOrigin: 'M5 12h14m0 0l-5-5m5 5l-5 5',
  trash: 'M4 7h16M9.500 7V4.500h5V7M6.500 7l1 13h9l1-13',
  warning: 'M12 9v4.500m0 3.200v.1M12 4L2.800 19.500h18.400L12 4z',
} as const;

/** Name of an icon. */
export type IconName = keyof typeof paths;

/** An icon beside text. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
