// Preloaded by `NODE_OPTIONS=--import`: a process whose clock is off by CLOCK_SHIFT_MS, as far as its own code can see.
// What Node and OpenSSL ask the system themselves stays right.
const shift = Number(process.env.CLOCK_SHIFT_MS);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + shift] : args));
  }

  static now() {
    return RealDate.now() + shift;
  }
};
