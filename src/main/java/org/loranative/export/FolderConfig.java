package org.loranative.export;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.loranative.io.DType;
import org.loranative.io.JsonFile;

/**
 * The {@code config.json} of a folder with other types than its source has.
 *
 * @param source the source's folder
 */
record FolderConfig(Path source) {
  private static final String NAME = "config.json";
  static final String VOCABULARY = "vocab_size";
  static final Map<DType, String> TORCH =
      Map.of(DType.F32, "float32", DType.F16, "float16", DType.BF16, "bfloat16");

  /**
   * @param type that was chosen
   * @param vocab rows of embedding and head, where tokens were added
   * @param wasQuantized whether the source's matrices are quantized, as they are not any more
   */
  void write(Path folder, Optional<DType> type, OptionalInt vocab, boolean wasQuantized)
      throws IOException {
    ObjectNode config = (ObjectNode) JsonFile.read(source.resolve(NAME));
    if (wasQuantized) {
      config.remove("quantization_config");
    }
    Optional<String> name =
        type.or(() -> wasQuantized ? Optional.of(DType.BF16) : Optional.empty()).map(TORCH::get);
    name.ifPresent(n -> config.put(config.has("dtype") ? "dtype" : "torch_dtype", n));
    if (vocab.isPresent()) {
      ObjectNode of =
          config.get("text_config") instanceof ObjectNode inside && inside.has(VOCABULARY)
              ? inside
              : config;
      of.put(VOCABULARY, vocab.getAsInt());
    }
    JsonFile.write(folder.resolve(NAME), config);
  }
}
