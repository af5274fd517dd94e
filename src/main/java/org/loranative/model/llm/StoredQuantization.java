package org.loranative.model.llm;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.loranative.UserException;
import org.loranative.io.TensorEntry;
import org.loranative.model.weights.Weights;

/**
 * How a Hugging Face folder's matrices were quantized, as {@code quantization_config} says or,
 * where an old one lies beside {@code config.json}, the tensors' names. Kinds that cannot be read
 * are refused by name: their tensors would look like missing or odd ones.
 *
 * @param float8 whether matrices are floats of 8 bits with scales beside them
 * @param blockRows rows that share a scale, where blocks do
 * @param blockColumns columns that do
 */
record StoredQuantization(boolean float8, long blockRows, long blockColumns) {
  private static final String KEY = "quantization_config";
  private static final StoredQuantization NONE = new StoredQuantization(false, 1, 1);
  private static final long BLOCK = 128;

  /** Ends of names that tell a kind, for folders whose config does not. */
  private static final Map<String, String> ENDS =
      Map.of(
          ".qweight", "gptq or awq",
          ".weight_packed", "compressed-tensors",
          ".SCB", "bitsandbytes to 8 bits",
          ".W_q", "hqq",
          ".weight._data", "quanto",
          ".codebooks", "aqlm");

  /**
   * @param file config.json, for messages
   * @param config what it says
   * @param tensors the folder's, by name
   */
  static StoredQuantization of(Path file, Map<String, Object> config, Set<String> tensors) {
    Object said = config.get(KEY);
    if (said == null && config.get("text_config") instanceof Map<?, ?> text) {
      said = text.get(KEY);
    }
    if (said instanceof Map<?, ?> map) {
      return of(file, map);
    }
    for (String name : tensors) {
      Optional<String> end = ENDS.keySet().stream().filter(name::endsWith).findFirst();
      if (end.isPresent()) {
        throw refusal(file, ENDS.get(end.get()));
      }
    }
    return NONE;
  }

  private static StoredQuantization of(Path file, Map<?, ?> said) {
    String method = String.valueOf(said.get("quant_method"));
    return switch (method) {
      case "bitsandbytes" -> {
        if (Boolean.TRUE.equals(said.get("load_in_8bit"))) {
          throw refusal(file, "bitsandbytes to 8 bits");
        }
        yield NONE;
      }
      case "mxfp4" -> NONE; // its tensors tell
      case "fp8", "fbgemm_fp8" -> blocks(file, said.get("weight_block_size"));
      case "modelopt" -> {
        if (!"FP8".equals(said.get("quant_algo"))) {
          throw refusal(file, method + " (" + said.get("quant_algo") + ")");
        }
        yield blocks(file, null);
      }
      case "compressed-tensors" -> compressed(file, said);
      default -> throw refusal(file, method);
    };
  }

  /** Floats of 8 bits alone; whole numbers and 4 bits are packed. */
  private static StoredQuantization compressed(Path file, Map<?, ?> said) {
    Object size = null;
    Map<?, ?> groups = said.get("config_groups") instanceof Map<?, ?> m ? m : Map.of();
    for (Object group : groups.values()) {
      Map<?, ?> weights =
          group instanceof Map<?, ?> g && g.get("weights") instanceof Map<?, ?> w ? w : Map.of();
      boolean bits8 = weights.get("num_bits") instanceof Number n && n.intValue() == 8;
      if (!bits8 || !"float".equals(weights.get("type"))) {
        throw refusal(file, "compressed-tensors (" + said.get("format") + ")");
      }
      size = weights.get("block_structure");
    }
    if (groups.isEmpty()) {
      throw refusal(file, "compressed-tensors (" + said.get("format") + ")");
    }
    return blocks(file, size);
  }

  private static StoredQuantization blocks(Path file, Object size) {
    if (size == null) {
      return new StoredQuantization(true, BLOCK, BLOCK);
    }
    if (size instanceof List<?> l
        && l.size() == 2
        && l.get(0) instanceof Number rows
        && l.get(1) instanceof Number columns
        && rows.longValue() > 0
        && columns.longValue() > 0) {
      return new StoredQuantization(true, rows.longValue(), columns.longValue());
    }
    throw new UserException(
        file
            + ": the blocks that share a scale are "
            + size
            + "; two sizes such as [128, 128]"
            + " expected.");
  }

  private static UserException refusal(Path file, String method) {
    return new UserException(
        file
            + ": the model is quantized by "
            + method
            + ", which cannot be trained on here (NF4 of bitsandbytes, MXFP4 and FP8 can, and GGUF"
            + " files). Take the model that it was made from; quantize: nf4 holds it in as little"
            + " memory.");
  }

  /** A folder's tensors, which are stored so. */
  Weights weights(Path folder, Map<String, TensorEntry> tensors, UnaryOperator<String> fileName) {
    return float8
        ? Weights.scaled(folder.toString(), tensors, fileName, blockRows, blockColumns)
        : new Weights(folder.toString(), tensors, fileName);
  }
}
