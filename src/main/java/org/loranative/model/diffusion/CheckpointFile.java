package org.loranative.model.diffusion;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.loranative.UserException;
import org.loranative.io.TensorEntry;

/**
 * A checkpoint of one file, whose numbers are read off its tensors' shapes.
 *
 * @param tensors by the file's names
 */
public record CheckpointFile(Path path, Map<String, TensorEntry> tensors) {
  private static final int VAE_GROUPS = 32;

  public boolean has(String name) {
    return tensors.containsKey(name);
  }

  public boolean hasAny(String prefix) {
    return tensors.keySet().stream().anyMatch(k -> k.startsWith(prefix));
  }

  /** A dimension of a tensor. */
  public int side(String name, int dimension) {
    TensorEntry entry = tensors.get(name);
    if (entry == null || entry.shape().size() <= dimension) {
      throw new UserException(path + " lacks the tensor " + name + "; it may be incomplete.");
    }
    return Math.toIntExact(entry.shape().get(dimension));
  }

  /** How many of prefix0, prefix1, … there are. */
  public int count(String prefix) {
    return (int) IntStream.iterate(0, i -> hasAny(prefix + i + "."), i -> i + 1).count();
  }

  /** Some rows of a tensor, where several layers are one. */
  public static TensorEntry rows(TensorEntry whole, long first, long count) {
    long all = whole.shape().get(0);
    if (first + count > all) {
      throw new UserException(
          String.format(
              "%s: tensor %s has %d rows, but must have %d; it is another kind of model.",
              whole.file(), whole.name(), all, first + count));
    }
    List<Long> shape = new ArrayList<>(whole.shape());
    shape.set(0, count);
    long row = whole.bytes() / all;
    return new TensorEntry(
        whole.name(), whole.type(), shape, whole.file(), whole.offset() + first * row, count * row);
  }

  /** The VAE's numbers; shift and scaling are its family's. */
  public VaeConfig vae(double shift, double scaling) {
    String encoder = VaeNames.ROOT + "encoder.down.";
    List<Integer> channels = new ArrayList<>();
    for (int i = 0; has(encoder + i + ".block.0.conv2.weight"); i++) {
      channels.add(side(encoder + i + ".block.0.conv2.weight", 0));
    }
    if (channels.isEmpty()) {
      throw new UserException(
          path
              + " holds no VAE ("
              + VaeNames.ROOT
              + "…). Name one with vae_path (--vae-path), such as ae.safetensors.");
    }
    return new VaeConfig(
        side(VaeNames.ROOT + "decoder.conv_in.weight", 1),
        VAE_GROUPS,
        count(encoder + "0.block."),
        channels,
        shift,
        scaling);
  }
}
