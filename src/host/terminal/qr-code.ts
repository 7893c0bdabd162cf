/** Draws QR codes for a terminal. */
import qrcode from 'qrcode-terminal';

/** Returns the lines of a code for a text. */
export function qrCodeOf(text: string): string {
  let code = '';
  qrcode.generate(text, { small: true }, (drawn) => {
    code = drawn;
  });
  return code;
}
