// Multilayer perceptrons from weights stored as float16.

/** Turn float16 numbers, little end first, into float32. */
export function fromHalf(buffer) {
  const view = new DataView(buffer);
  const out = new Float32Array(view.byteLength / 2);
  for (let i = 0; i < out.length; i++) {
    const half = view.getUint16(2 * i, true);
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    out[i] = half >> 15 ? -size : size;
  }
  return out;
}

/** Cut weights and biases, layer after layer, out of one buffer; `sizes` are the layers' widths. */
export function unpack(buffer, sizes) {
  const values = fromHalf(buffer);
  const layers = [];
  let start = 0;
  for (let i = 0; i + 1 < sizes.length; i++) {
    const [fanIn, fanOut] = [sizes[i], sizes[i + 1]];
    const weight = values.subarray(start, start + fanIn * fanOut);
    start += fanIn * fanOut;
    layers.push({ fanIn, fanOut, weight, bias: values.subarray(start, start + fanOut) });
    start += fanOut;
  }
  return layers;
}

/** Apply the layers, with a ReLU after each but the last. */
export function forward(layers, input) {
  let x = input;
  layers.forEach(({ fanIn, fanOut, weight, bias }, index) => {
    const y = new Float32Array(fanOut);
    for (let o = 0; o < fanOut; o++) {
      let sum = bias[o];
      const row = o * fanIn;
      for (let i = 0; i < fanIn; i++) sum += weight[row + i] * x[i];
      y[o] = index + 1 < layers.length && sum < 0 ? 0 : sum;
    }
    x = y;
  });
  return x;
}

export const sigmoid = (values) => values.map((a) => 1 / (1 + Math.exp(-a)));

/** Decode a code into pixels from 0 to 1; the decoder gives logits or, for a Gaussian, means. */
export function decode(layers, code, head) {
  const output = forward(layers, code);
  return head === "logits" ? sigmoid(output) : output.map((v) => Math.min(1, Math.max(0, v)));
}

/** Return the mean and the standard deviation that the encoder gives. */
export function encode(layers, pixels) {
  const output = Array.from(forward(layers, pixels));
  const half = output.length / 2;
  return { mean: output.slice(0, half), deviation: output.slice(half).map((l) => Math.exp(l / 2)) };
}

/** Return log p(x|z) of black and white pixels, in nats, from the decoder's logits. */
export function logLikelihood(logits, pixels) {
  let sum = 0;
  for (let i = 0; i < pixels.length; i++) {
    const a = logits[i];
    sum += pixels[i] * a - (a > 0 ? a : 0) - Math.log1p(Math.exp(-Math.abs(a)));
  }
  return sum;
}

/** Return KL(N(mean, deviation^2) || N(0, 1)), summed over the dimensions, in nats. */
export function rate({ mean, deviation }) {
  return mean.reduce((sum, m, i) => {
    const s = deviation[i];
    return sum + 0.5 * (s * s + m * m - 1) - Math.log(s);
  }, 0);
}
