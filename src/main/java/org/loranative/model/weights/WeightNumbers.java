package org.loranative.model.weights;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.loranative.device.CpuDevice;
import org.loranative.device.HostBuffer;
import org.loranative.graph.Graph;
import org.loranative.graph.Kind;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.io.TensorEntry;

/**
 * A frozen matrix in f32 as a model has it, read from its file some rows at a time.
 *
 * @param added numbers of the rows that it has beyond its file's
 */
public record WeightNumbers(Weights weights, Reading reading, float[] added) implements Numbers {
  /** A weight's numbers; those that are not rows of one tensor are loaded into memory. */
  public static Numbers of(Weights weights, String name) {
    Optional<Reading> rows = weights.inRows(name);
    if (rows.isEmpty()) {
      return Numbers.of(loaded(weights, name));
    }
    TensorEntry entry = rows.get().entry();
    long all = weights.shape(name).rows();
    if (all == entry.rows()) {
      return new WeightNumbers(weights, rows.get(), new float[0]);
    }
    try (StoredRows stored = weights.rows()) {
      return new WeightNumbers(weights, rows.get(), NewRows.draw(stored, entry, all));
    }
  }

  private static float[] loaded(Weights weights, String name) {
    Value v = new Graph().named(Kind.WEIGHT, name, DType.F32, weights.shape(name));
    try (CpuDevice device = new CpuDevice(CpuDevice.physicalCores());
        LoadedWeights loaded = weights.load(Map.of(name, v), device);
        HostBuffer host = new HostBuffer(v.bytes())) {
      device.download(host, loaded.address(v), v.bytes());
      float[] numbers = new float[Math.toIntExact(v.shape().size())];
      host.view().asFloatBuffer().get(numbers);
      return numbers;
    }
  }

  @Override
  public long size() {
    return reading.entry().elements() + added.length;
  }

  @Override
  public void read(long from, float[] to, int at, int count) {
    Objects.checkFromIndexSize(from, count, size());
    long stored = reading.entry().elements();
    int old = (int) Math.max(0, Math.min(count, stored - from));
    if (old > 0) {
      readStored(from, to, at, old);
    }
    if (old < count) {
      System.arraycopy(added, Math.toIntExact(from + old - stored), to, at + old, count - old);
    }
  }

  private void readStored(long from, float[] to, int at, int count) {
    int columns = Math.toIntExact(reading.entry().columns());
    int most = Math.max(1, PIECE / columns);
    long end = (from + count - 1) / columns + 1;
    try (StoredRows stored = weights.rows()) {
      for (long row = from / columns; row < end; row += most) {
        int n = (int) Math.min(most, end - row);
        float[] x = rows(stored, row, n, columns);
        long first = Math.max(from, row * columns);
        long last = Math.min(from + count, (row + n) * columns);
        System.arraycopy(
            x, (int) (first - row * columns), to, at + (int) (first - from), (int) (last - first));
      }
    }
  }

  private float[] rows(StoredRows stored, long first, int count, int columns) {
    float[] x = new float[count * columns];
    if (reading.rows().isSame()) {
      stored.read(reading.entry(), first, count, x);
    }
    float[] row = new float[columns];
    for (int i = 0; i < count; i++) {
      if (reading.rows().isSame()) {
        System.arraycopy(x, i * columns, row, 0, columns);
      } else {
        stored.read(reading.entry(), reading.rows().inFile(first + i), 1, row);
      }
      float[] ours = reading.columns().inOrder(row);
      for (int c = 0; c < columns && !reading.formula().isPlain(); c++) {
        ours[c] = reading.formula().of(ours[c]);
      }
      System.arraycopy(ours, 0, x, i * columns, columns);
    }
    return x;
  }
}
