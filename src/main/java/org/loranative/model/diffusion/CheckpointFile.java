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

  /** A third of a tensor's rows: q, k or v where they are one. */
  public static TensorEntry third(TensorEntry joined, int part) {
    List<Long> shape = new ArrayList<>(joined.shape());
    shape.set(0, shape.get(0) / 3);
    long bytes = joined.bytes() / 3;
    return new TensorEntry(
        joined.name(), joined.type(), shape, joined.file(), joined.offset() + part * bytes, bytes);
  }

  /** The VAE's numbers; shift and scaling are its family's. */
  public VaeConfig vae(double shift, double scaling) {
    String encoder = VaeNames.ROOT + "encoder.down.";
    List<Integer> channels = new ArrayList<>();
    for (int i = 0; has(encoder + i + ".block.0.conv2.weight"); i++) {
      channels.add(side(encoder + i + ".block.0.conv2.weight", 0));
    }
    if (channels.isEmpty()) {
      throw new UserException(path + " holds no VAE (" + VaeNames.ROOT + "…).");
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
