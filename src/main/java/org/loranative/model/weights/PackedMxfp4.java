package org.loranative.model.weights;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * Floats of 4 bits as gpt-oss's folders store them: {@code X_blocks} of bytes {@code [experts, out,
 * in / 32, 16]}, neighbours in a byte, the first in its low half, and {@code X_scales} of bytes
 * {@code [experts, out, in / 32]}, exponents of 2 plus 127. As {@link DType#MXFP4}'s blocks they
 * are the same numbers in another order: there a byte holds elements i and i + 16.
 */
record PackedMxfp4(TensorEntry blocks, TensorEntry scales) implements Pieces {
  private static final String BLOCKS = "_blocks";
  private static final String SCALES = "_scales";
  private static final int HALF = 16;

  /** The tensors of {@code entries} that are stored so, by the name of their blocks. */
  static Map<String, PackedMxfp4> find(Map<String, TensorEntry> entries) {
    Map<String, PackedMxfp4> found = new HashMap<>();
    entries.forEach(
        (name, blocks) -> {
          TensorEntry scales = entries.get(scalesOf(name));
          if (name.endsWith(BLOCKS) && blocks.type().equals("U8")) {
            if (scales == null) {
              throw new UserException(
                  blocks.file() + " has " + name + " without " + scalesOf(name) + " beside it.");
            }
            found.put(name, new PackedMxfp4(blocks, scales));
          }
        });
    return found;
  }

  private static String scalesOf(String name) {
    return name.endsWith(BLOCKS)
        ? name.substring(0, name.length() - BLOCKS.length()) + SCALES
        : name;
  }

  PackedMxfp4 {
    List<Long> shape = blocks.shape();
    if (shape.size() != 4
        || shape.get(3) != HALF
        || !scales.type().equals("U8")
        || !scales.shape().equals(shape.subList(0, 3))) {
      throw new UserException(
          String.format(
              "%s: %s is %s %s and %s %s %s; MXFP4 is bytes [experts, out, in / 32, 16] with"
                  + " scales [experts, out, in / 32].",
              blocks.file(),
              blocks.name(),
              blocks.type(),
              shape,
              scales.name(),
              scales.type(),
              scales.shape()));
    }
  }

  @Override
  public TensorEntry entry() {
    List<Long> shape =
        List.of(
            blocks.shape().get(0),
            blocks.shape().get(1),
            blocks.shape().get(2) * DType.MXFP4.elementsPerBlock);
    return new TensorEntry(
        blocks.name(), DType.MXFP4.name(), shape, blocks.file(), blocks.offset(), blocks.bytes());
  }

  @Override
  public DType type() {
    return DType.MXFP4;
  }

  @Override
  public void assemble(ByteBuffer to) {
    arrange(Safetensors.data(blocks), Safetensors.data(scales), to);
  }

  @Override
  public boolean stay() {
    return true;
  }

  @Override
  public boolean holds(String name) {
    return name.equals(scalesOf(blocks.name()));
  }

  /**
   * Writes groups as GGUF's blocks, which loses nothing.
   *
   * @param blocks 16 bytes a group
   * @param scales one byte a group
   * @param to 17 bytes a group
   */
  static void arrange(ByteBuffer blocks, ByteBuffer scales, ByteBuffer to) {
    IntStream.range(0, scales.capacity())
        .parallel()
        .forEach(
            group -> {
              int at = group * DType.MXFP4.bytesPerBlock;
              to.put(at, scales.get(group));
              for (int i = 0; i < HALF; i++) {
                int low = element(blocks, group, i);
                int high = element(blocks, group, i + HALF);
                to.put(at + 1 + i, (byte) (low | high << 4));
              }
            });
  }

  private static int element(ByteBuffer blocks, int group, int i) {
    return blocks.get(group * HALF + i / 2) >> (i % 2 * 4) & 15;
  }
}
