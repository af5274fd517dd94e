package org.loranative.export;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.LongUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.loranative.StoppedException;
import org.loranative.Stopping;
import org.loranative.export.blocks.Encoder;
import org.loranative.export.blocks.Encoders;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.Part;
import org.loranative.model.llm.FolderExperts;
import org.loranative.model.llm.GgufNames;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.Weights;

/**
 * Layers that a GGUF has in other tensors than folders, as the kind of file wants them that is
 * written, with adapters merged in: experts, and projections that are one in a folder.
 */
final class RegroupedTensors implements AutoCloseable {
  /** Numbers that are in memory at once. */
  private static final int PIECE = 1 << 24;

  private final LlmBase base;
  private final MergedRows merged;
  private final TypeChoice choice;

  RegroupedTensors(LlmBase base, Map<String, AdaptedLayer> layers, TypeChoice choice) {
    this.base = base;
    this.merged = new MergedRows(base.weights(), layers);
    this.choice = choice;
  }

  /** Whether a tensor that the model reads is of those, by our name. */
  boolean holds(String name) {
    return layers().stream().anyMatch(layer -> GgufNames.isOf(layer, name));
  }

  private List<Adapters.Target> layers() {
    return base.targets().stream().filter(GgufNames::isRegrouped).toList();
  }

  /** As a GGUF has them: all experts in one tensor, gate and up mostly apart. */
  List<TensorStream> inGguf() {
    List<TensorStream> all = new ArrayList<>();
    GgufNames names = base.ggufNames();
    for (Adapters.Target layer : layers()) {
      for (GgufNames.Part p : names.parts(layer, ".weight")) {
        Some every = new Some(0, Math.max(1, layer.experts()), p.rows(), p.ours());
        all.add(stream(p.name(), shape(layer, p.rows()), layer, every));
      }
      merged
          .bias(layer)
          .ifPresent(
              bias -> {
                for (GgufNames.Part p : names.parts(layer, ".bias")) {
                  all.add(stream(p.name(), DType.F32, layer, bias, p));
                }
              });
    }
    return all;
  }

  /** As folders of the model's family have them. */
  List<TensorStream> inFolder() {
    List<TensorStream> all = new ArrayList<>();
    FolderExperts form = new FolderExperts(base.config().family());
    for (Adapters.Target layer : layers()) {
      if (form.areTogether(layer)) {
        Some every = new Some(0, Math.max(1, layer.experts()), layer.out(), row -> row);
        String name = form.together(layer);
        all.add(
            form.areTransposed()
                ? transposed(name, layer)
                : stream(name, shape(layer, layer.out()), layer, every));
      } else {
        for (int e = 0; e < layer.experts(); e++) {
          for (GgufNames.Part p : form.parts(layer.path(), e, layer.out())) {
            Some one = new Some(e, e + 1, p.rows(), p.ours());
            all.add(stream(p.name(), List.of(p.rows(), layer.in()), layer, one));
          }
        }
      }
      merged
          .bias(layer)
          .ifPresent(
              bias -> {
                GgufNames.Part whole =
                    new GgufNames.Part(form.bias(layer), layer.out(), row -> row);
                all.add(stream(whole.name(), biasType(layer), layer, bias, whole));
              });
    }
    return all;
  }

  /** Of all experts' matrices, or of one that is no expert's. */
  private static List<Long> shape(Adapters.Target layer, long rows) {
    return layer.experts() > 0
        ? List.of((long) layer.experts(), rows, layer.in())
        : List.of(rows, layer.in());
  }

  /**
   * Rows of some experts' matrices.
   *
   * @param first of the experts
   * @param end behind the last of them
   * @param rows of each
   * @param ours which of an expert's rows each is
   */
  private record Some(int first, int end, long rows, LongUnaryOperator ours) {}

  /** What a layer's matrices are written in; 4 bits are copied, or widened where some change. */
  private DType type(Adapters.Target layer) {
    TensorEntry e = base.weights().entry(layer.path() + ".weight");
    TensorEntry inOrder =
        new TensorEntry(
            e.name(), e.type(), List.of(layer.out(), layer.in()), e.file(), e.offset(), e.bytes());
    return choice
        .of(inOrder)
        .filter(type -> Encoders.of(type).isPresent() || !merged.isAdapted(layer))
        .orElse(TypeChoice.PLAIN);
  }

  private DType biasType(Adapters.Target layer) {
    return choice
        .of(base.weights().entry(layer.path() + ".bias"))
        .filter(type -> Encoders.of(type).isPresent())
        .orElse(TypeChoice.PLAIN);
  }

  private TensorStream stream(String name, List<Long> shape, Adapters.Target layer, Some some) {
    DType type = type(layer);
    long elements = (some.end() - some.first()) * some.rows() * layer.in();
    return new TensorStream(
        name, type.name(), shape, type.bytes(elements), out -> write(layer, some, type, out));
  }

  private void write(Adapters.Target layer, Some some, DType type, OutputStream out)
      throws IOException {
    int in = Math.toIntExact(layer.in());
    int most = Math.max(1, PIECE / in);
    List<Weights.Rows> parts = merged.parts(layer);
    for (int e = some.first(); e < some.end(); e++) {
      for (long from = 0; from < some.rows(); from += most) {
        requireGoing(layer);
        int count = (int) Math.min(most, some.rows() - from);
        int[] ours =
            LongStream.range(from, from + count)
                .mapToInt(i -> Math.toIntExact(some.ours().applyAsLong(i)))
                .toArray();
        int first = Arrays.stream(ours).min().orElseThrow();
        int span = Arrays.stream(ours).max().orElseThrow() - first + 1;
        Row inSpan = i -> ours[i] - first;
        out.write(
            Encoders.of(type).isPresent()
                ? encoded(type, merged.rows(parts, layer, e, first, span), count, in, inSpan)
                : chosen(merged.bytes(parts, layer, e, first, span), span, count, inSpan));
      }
    }
    merged.done(parts);
  }

  /** All experts' matrices with their sides exchanged. */
  private TensorStream transposed(String name, Adapters.Target layer) {
    DType type = type(layer);
    int in = Math.toIntExact(layer.in());
    int rows = Math.toIntExact(layer.out());
    return new TensorStream(
        name,
        type.name(),
        List.of((long) layer.experts(), layer.in(), layer.out()),
        type.bytes(layer.experts() * layer.in() * layer.out()),
        out -> {
          List<Weights.Rows> parts = merged.parts(layer);
          for (int e = 0; e < layer.experts(); e++) {
            requireGoing(layer);
            float[] x = Part.transposed(merged.rows(parts, layer, e, 0, rows), rows, in);
            out.write(encoded(type, x, in, rows, i -> i));
          }
          merged.done(parts);
        });
  }

  private static void requireGoing(Adapters.Target layer) {
    if (Stopping.isAsked()) {
      throw new StoppedException("Stopped while " + layer.path() + " was written.");
    }
  }

  private interface Row {
    int of(int i);
  }

  private static byte[] chosen(byte[] rows, int all, int count, Row ours) {
    int rowBytes = rows.length / all;
    byte[] some = new byte[count * rowBytes];
    for (int i = 0; i < count; i++) {
      System.arraycopy(rows, ours.of(i) * rowBytes, some, i * rowBytes, rowBytes);
    }
    return some;
  }

  private static byte[] encoded(DType type, float[] x, int rows, int columns, Row ours) {
    Encoder encoder = Encoders.of(type).orElseThrow();
    int rowBytes = Math.toIntExact(type.bytes(columns));
    byte[] bytes = new byte[Math.multiplyExact(rows, rowBytes)];
    IntStream.range(0, rows)
        .parallel()
        .forEach(
            i ->
                encoder.encode(
                    x,
                    ours.of(i) * columns,
                    columns,
                    ByteBuffer.wrap(bytes, i * rowBytes, rowBytes).order(ByteOrder.LITTLE_ENDIAN)));
    return bytes;
  }

  /** Numbers of all experts' biases. */
  private static TensorStream stream(
      String name, DType type, Adapters.Target layer, float[] bias, GgufNames.Part part) {
    int count = Math.toIntExact(part.rows());
    int all = Math.toIntExact(layer.out());
    float[] x = new float[layer.experts() * count];
    for (int i = 0; i < x.length; i++) {
      x[i] = bias[i / count * all + Math.toIntExact(part.ours().applyAsLong(i % count))];
    }
    return new TensorStream(
        name,
        type.name(),
        List.of((long) layer.experts(), part.rows()),
        type.bytes(x.length),
        out -> out.write(encoded(type, x, layer.experts(), count, i -> i)));
  }

  @Override
  public void close() {
    merged.close();
  }
}
