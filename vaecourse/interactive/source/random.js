// Random numbers from a seed, the same on every machine.

/** Start Chris Doty-Humphrey's sfc32 from a seed and a stream; return draws of 32 bits. */
export function bits(seed, stream = 0) {
  let [a, b, c, counter] = [seed | 0, stream | 0, 0x9e3779b9 | 0, 1];
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 20; i++) next(); // until the seed has reached every bit
  return next;
}

/**
 * Fill an array with standard normal draws by the transform of Box and Muller: from two uniform
 * u, v in (0, 1], the pair sqrt(-2 log u) cos(2 pi v) and sqrt(-2 log u) sin(2 pi v).
 */
export function normals(count, seed, stream = 0, out = new Float64Array(count)) {
  const next = bits(seed, stream);
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((next() + 1) / 4294967296));
    const angle = (2 * Math.PI * (next() + 1)) / 4294967296;
    out[i] = radius * Math.cos(angle);
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle);
  }
  return out;
}
