/** The part of qrcode-terminal that is used; it brings no types. */
declare module 'qrcode-terminal' {
  const qrcode: {
    /** Calls back at once with the lines of a QR code in block characters. */
    generate(text: string, options: { readonly small: boolean }, callback: (code: string) => void): void;
  };
  export = qrcode;
}
