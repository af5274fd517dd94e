package org.loranative.export;

import java.util.Arrays;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.Part;
import org.loranative.model.weights.Reading;
import org.loranative.model.weights.StoredRows;
import org.loranative.model.weights.Weights;

/** Weights of a base's layers, whole, as they lie in memory. */
final class LayerWeights implements AutoCloseable {
  private final Weights weights;
  private final StoredRows rows;

  LayerWeights(Weights weights) {
    this.weights = weights;
    this.rows = weights.rows();
  }

  /** A layer's weight [out, in], of a convolution [out, kernel, kernel, channels]. */
  float[] of(Adapters.Target layer) {
    Reading reading = weights.reading(layer.path() + ".weight");
    int out = Math.toIntExact(layer.out());
    int in = Math.toIntExact(layer.in());
    if (reading.transposed()) {
      return Part.transposed(stored(reading), in, out);
    }
    int taps = layer.kernel() * layer.kernel();
    float[] inOrder = new float[Math.multiplyExact(out, in)];
    for (Weights.Rows part : weights.rowsOf(layer.path() + ".weight")) {
      float[] x = stored(part.reading());
      for (int row = 0; row < x.length / in; row++) {
        int from = Math.toIntExact(part.reading().rows().inFile(row)) * in;
        float[] ours = part.reading().columns().inOrder(Arrays.copyOfRange(x, from, from + in));
        System.arraycopy(ours, 0, inOrder, part.of(row) * in, in);
      }
    }
    return Part.transposed(inOrder, in / taps, taps);
  }

  /** What a layer's weight gains by an adapter of any kind, likewise. */
  float[] gain(AdaptedLayer adapted) {
    float[] weight = of(adapted.target());
    int out = Math.toIntExact(adapted.target().out());
    int in = weight.length / out;
    float[] gain = new float[weight.length];
    float[] row = new float[in];
    for (int o = 0; o < out; o++) {
      System.arraycopy(weight, o * in, row, 0, in);
      adapted.method().merge(adapted, o, row);
      for (int c = 0; c < in; c++) {
        gain[o * in + c] = row[c] - weight[o * in + c];
      }
    }
    return gain;
  }

  /** A tensor's numbers in its file's order. */
  float[] stored(Reading reading) {
    float[] x = new float[Math.toIntExact(reading.entry().elements())];
    rows.read(reading.entry(), 0, Math.toIntExact(reading.entry().rows()), x);
    rows.done(reading.entry());
    return x;
  }

  @Override
  public void close() {
    rows.close();
  }
}
