/** Whether what the page shows is true now. @param isOpen Undefined before the first answer. */
export function ConnectionBadge({ isOpen }: { readonly isOpen: boolean | undefined }) {
  if (isOpen === undefined) return <span class="badge">connecting</span>;
  return (
    <span class={`badge ${isOpen ? 'ok' : 'bad'}`}>
      <span class={isOpen ? 'dot live' : 'dot'} /> {isOpen ? 'live' : 'offline'}
    </span>
  );
}
