/** Name and mark at the head of a page. */
import mark from './giraffe.svg';

/** @param page What the page is for. */
export function Brand({ page }: { readonly page: string }) {
  return (
    <h1 class="brand">
      <img src={mark} alt="" />
      <b>
        giraffe <span>{page}</span>
      </b>
    </h1>
  );
}
