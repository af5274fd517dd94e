package org.loranative.export;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorStream;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.Mix;
import org.loranative.model.weights.Weights;
import org.loranative.track.Phase;

/** Writes a base with adapters merged in. */
public interface Merge {
  /** 5 GB, as transformers cuts. */
  long SHARD = 5_000_000_000L;

  /**
   * @param out a folder or file that does not exist yet
   * @param type {@code source} or a storage type's name
   */
  void write(Path out, String type) throws IOException;

  /** What adapters that are applied together make of each layer. */
  static Map<String, AdaptedLayer> layers(Mix mix) {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    for (Adapters.Module m : mix.adapters().modules()) {
      layers.put(m.path(), AdaptedLayer.of(m, mix.params(), false));
    }
    return layers;
  }

  /** A stream that says how far the writing is. */
  static TensorStream followed(TensorStream tensor, Phase phase) {
    return new TensorStream(
        tensor.name(),
        tensor.type(),
        tensor.shape(),
        tensor.bytes(),
        out -> {
          phase.next();
          tensor.content().write(out);
        });
  }

  /** Every tensor of a file or folder, in its order. */
  static List<TensorStream> all(
      MergedTensors merged, Weights weights, Map<String, TensorEntry> file, TypeChoice choice) {
    Map<String, TensorEntry> stored = weights.stored(file);
    Phase phase = new Phase("tensors written", stored.size());
    return stored.values().stream()
        .map(
            e -> {
              Optional<DType> type = choice.of(e);
              return followed(merged.stream(e, e.name(), type, Form.SAME), phase);
            })
        .toList();
  }

  static void requireNew(Path out) {
    requireNew("--out", out);
  }

  /**
   * Refuses to write over what is there.
   *
   * @param option that names the path
   */
  static void requireNew(String option, Path out) {
    if (Files.exists(out)) {
      throw new UserException(out + " exists already; name another with " + option + ".");
    }
    Path parent = out.toAbsolutePath().getParent();
    if (!Files.isDirectory(parent)) {
      throw new UserException(option + ": the folder " + parent + " does not exist.");
    }
  }
}
