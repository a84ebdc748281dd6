// SHA-256 of what comes in pieces (FIPS 180-4). The browser's own takes a file only whole, and only over TLS or on this machine.

const ROUNDS = 64, BLOCK = 64;
const PRIMES = primes(ROUNDS);
const K = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));
const BEGIN = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

function primes(count) {
  const found = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime)) found.push(n);
  return found;
}

function fraction(root) {
  return ((root - Math.floor(root)) * 2 ** 32) | 0;
}

export class Sha256 {
  constructor() {
    this.state = BEGIN.slice();
    this.words = new Int32Array(ROUNDS);
    this.rest = new Uint8Array(BLOCK);
    this.kept = this.length = 0;
  }

  /** Adds bytes (Uint8Array). */
  update(bytes) {
    this.length += bytes.length;
    let place = 0;
    if (this.kept) {
      place = Math.min(BLOCK - this.kept, bytes.length);
      this.rest.set(bytes.subarray(0, place), this.kept);
      this.kept += place;
      if (this.kept < BLOCK) return;
      this.#take(this.rest, 0);
      this.kept = 0;
    }
    for (; place + BLOCK <= bytes.length; place += BLOCK) this.#take(bytes, place);
    this.rest.set(bytes.subarray(place));
    this.kept = bytes.length - place;
  }

  /** The hash of all that was added, in hex; nothing can be added afterwards. */
  hex() {
    const padding = new Uint8Array(BLOCK * (this.kept < 56 ? 1 : 2) - this.kept), view = new DataView(padding.buffer);
    padding[0] = 0x80;
    view.setUint32(padding.length - 8, Math.floor(this.length / 2 ** 29));
    view.setUint32(padding.length - 4, (this.length * 8) >>> 0);
    this.update(padding);
    return [...this.state].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  #take(bytes, from) {
    const { words, state } = this;
    for (let n = 0, at = from; n < 16; n++, at += 4) words[n] = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
    for (let n = 16; n < ROUNDS; n++) {
      const x = words[n - 15], y = words[n - 2];
      const low = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3), high = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[n] = (words[n - 16] + low + words[n - 7] + high) | 0;
    }
    let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
    for (let n = 0; n < ROUNDS; n++) {
      const one = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const first = (h + one + ((e & f) ^ (~e & g)) + K[n] + words[n]) | 0;
      const two = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const second = (two + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g; g = f; f = e; e = (d + first) | 0; d = c; c = b; b = a; a = (first + second) | 0;
    }
    state[0] += a; state[1] += b; state[2] += c; state[3] += d; state[4] += e; state[5] += f; state[6] += g; state[7] += h;
  }
}
