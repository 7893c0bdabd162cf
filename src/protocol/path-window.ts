/**
 * Decides how much of a carrier may be under way: sent, and not known to have arrived.
 *
 * The system takes whatever it is given, megabytes on a slow link, and what it has taken no small exchange can pass. So we
 * probe: the answer to a PING says that all before it has arrived, and how long that took. What is under way is kept to what
 * the path carries in twice its bare round trip and a little more, so that it is always full and nobody stands in line for long.
 * Where the path gets longer than it was, less under way does not make it faster, by which that is known. Pure: the caller
 * passes the time.
 *
 * The idea is that of congestion control by delay (TCP Vegas, BBR); the probing for a longer path is our own.
 */

/** What may be under way at first, in octets. */
export const firstPathBytes = 256 * 1024;
/** What may always be under way, in octets. */
export const minPathBytes = 64 * 1024;
/** More is never needed, in octets. */
const maxPathBytes = 64 * 1024 * 1024;
/** Time in line that is nobody's fault, in milliseconds: ends of a carrier are busy, and radio links come in bursts. */
const slackMs = 50;
/** A round trip may be so many times what is aimed at before anything changes. */
const tolerance = 1.25;
/** Growth at once, at most. */
const maxGrowth = 4;
/** A path that has become longer is looked at anew after this long, in milliseconds. */
const longerMs = 10_000;
/** Octets between two probes, at least; and the share of the window that is between them. */
const probeBytes = 16 * 1024;
const probeShare = 1 / 4;
/** Unanswered probes, a count. There are fewer unless the other end does not answer. */
const maxProbes = 32;

interface Probe {
  readonly number: number;
  /** Octets sent before it. */
  readonly sentBytes: number;
  readonly sentMs: number;
  /** Octets under way before it. */
  readonly underWayBytes: number;
  /** How that was beside the limit: more when it has just been reduced. */
  readonly fill: 'little' | 'most' | 'more';
}

/** What may be under way on one carrier. All counts of octets are of the carrier since it began. */
export class PathWindow {
  #limitBytes = firstPathBytes;
  #arrivedBytes = 0;
  readonly #probes: Probe[] = [];
  #latest = 0;
  #probedBytes = 0;
  /** Probes from before say nothing of the present limit. */
  #changedMs = Number.NEGATIVE_INFINITY;
  /** The shortest round trip there was. */
  #bareMs = Number.POSITIVE_INFINITY;
  /** What the round trip of a path that has become longer is taken for, and until when. */
  #longMs = 0;
  #longUntilMs = Number.NEGATIVE_INFINITY;
  /** The octets under way and the round trip for which the limit was reduced; undefined when it was not. */
  #reducedFor: { readonly underWayBytes: number; readonly roundTripMs: number } | undefined;

  /** What may be under way, in octets. */
  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** Octets that may be sent now. @param sentBytes Sent so far. */
  roomBytes(sentBytes: number): number {
    return Math.max(0, this.#limitBytes - (sentBytes - this.#arrivedBytes));
  }

  /** Whether a probe should go next: there is none without which nothing more could be sent, or enough passed since the latest. */
  wantsProbe(sentBytes: number): boolean {
    if (this.#probes.length === 0 && this.roomBytes(sentBytes) === 0) return true;
    if (this.#probes.length === maxProbes) return false;
    return sentBytes - this.#probedBytes >= Math.max(probeBytes, this.#limitBytes * probeShare);
  }

  /** Takes note that a probe is sent; returns its number, a 32-bit one. */
  probe(sentBytes: number, nowMs: number): number {
    this.#latest = (this.#latest + 1) >>> 0;
    this.#probedBytes = sentBytes;
    const underWayBytes = sentBytes - this.#arrivedBytes;
    const isLittle = underWayBytes * 2 < this.#limitBytes;
    const fill = isLittle ? 'little' : underWayBytes <= this.#limitBytes ? 'most' : 'more';
    this.#probes.push({ number: this.#latest, sentBytes, sentMs: nowMs, underWayBytes, fill });
    return this.#latest;
  }

  /** A probe was answered. Numbers of none are ignored. */
  answered(number: number, nowMs: number): void {
    const at = this.#probes.findIndex((probe) => probe.number === number);
    const probe = this.#probes[at];
    if (probe === undefined) return;
    this.#probes.splice(0, at + 1);
    this.#arrivedBytes = probe.sentBytes;
    const roundTripMs = nowMs - probe.sentMs;
    this.noteRoundTrip(roundTripMs);
    if (probe.fill !== 'more' && probe.sentMs >= this.#changedMs) this.#adapt(probe, roundTripMs, nowMs);
  }

  /** Takes note of a round trip, in milliseconds; the shortest one is that of the bare path. */
  noteRoundTrip(roundTripMs: number): void {
    this.#bareMs = Math.min(this.#bareMs, roundTripMs);
  }

  #adapt({ underWayBytes, fill }: Probe, roundTripMs: number, nowMs: number): void {
    const baseMs = nowMs < this.#longUntilMs ? Math.max(this.#bareMs, this.#longMs) : this.#bareMs;
    const goalMs = 2 * baseMs + slackMs;
    if (goalMs * tolerance < roundTripMs) {
      if (fill === 'little') return;
      if (this.#isInVain(underWayBytes, roundTripMs)) this.#takeForLonger(roundTripMs, nowMs);
      else this.#reduce(underWayBytes, goalMs, roundTripMs, nowMs);
      return;
    }
    if (fill === 'most') this.#reducedFor = undefined;
    // The path carries at least what it carried in this time: never more comes of it than is aimed at.
    const wantedBytes = Math.min(underWayBytes * (goalMs / roundTripMs), this.#limitBytes * maxGrowth);
    if (this.#limitBytes * tolerance < wantedBytes) this.#change(wantedBytes, nowMs);
  }

  /** What stands in line gets shorter with what is under way: a round trip that falls by less than half of that has another cause. */
  #isInVain(underWayBytes: number, roundTripMs: number): boolean {
    const before = this.#reducedFor;
    if (before === undefined) return false;
    const expectedShare = Math.min(1, underWayBytes / before.underWayBytes);
    return before.roundTripMs * ((1 + expectedShare) / 2) < roundTripMs;
  }

  #reduce(underWayBytes: number, goalMs: number, roundTripMs: number, nowMs: number): void {
    this.#reducedFor = this.#limitBytes > minPathBytes ? { underWayBytes, roundTripMs } : undefined;
    this.#change(underWayBytes * Math.max(0.5, goalMs / roundTripMs), nowMs);
  }

  #takeForLonger(roundTripMs: number, nowMs: number): void {
    this.#longMs = roundTripMs;
    this.#longUntilMs = nowMs + longerMs;
    this.#reducedFor = undefined;
    this.#changedMs = nowMs;
  }

  #change(wantedBytes: number, nowMs: number): void {
    this.#limitBytes = Math.min(maxPathBytes, Math.max(minPathBytes, Math.round(wantedBytes)));
    this.#changedMs = nowMs;
  }
}
