package org.loranative.model.weights;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * Scales of matrices in floats of 8 bits: one number beside each, as ComfyUI writes them ({@code
 * NAME.scale_weight}, newer files {@code NAME.weight_scale}).
 */
final class Float8Scales {
  private static final String WEIGHT = ".weight";
  private static final List<String> SCALES = List.of(".scale_weight", ".weight_scale");

  /** What else such files hold, which only their own kernels read. */
  private static final List<String> OTHERS =
      List.of(".scale_input", ".input_scale", ".comfy_quant", "scaled_fp8");

  /** A tensor of a file, by the file's own name: what it is cut into shares its scale. */
  private record Place(Path file, String name) {}

  private final Map<Place, Float> scales = new HashMap<>();

  private Float8Scales() {}

  static Float8Scales find(Map<String, TensorEntry> entries) {
    Float8Scales found = new Float8Scales();
    entries.forEach(
        (name, entry) -> {
          for (String end : SCALES) {
            if (name.endsWith(end)) {
              String own = entry.name();
              String weight = own.substring(0, own.length() - end.length()) + WEIGHT;
              found.scales.put(new Place(entry.file(), weight), number(entry));
            }
          }
        });
    return found;
  }

  private static float number(TensorEntry entry) {
    if (entry.elements() != 1 || !entry.type().equals("F32")) {
      throw new UserException(
          String.format(
              "%s: %s is %s %s; only matrices of 8 bits with one scale each (F32) are supported."
                  + " Take the model's bf16 or GGUF file.",
              entry.file(), entry.name(), entry.type(), entry.shape()));
    }
    return Safetensors.data(entry).getFloat(0);
  }

  /** What a tensor's numbers are multiplied by. */
  float of(TensorEntry entry) {
    return scales.isEmpty() ? 1 : scales.getOrDefault(new Place(entry.file(), entry.name()), 1f);
  }

  /** Whether a tensor belongs to another's numbers, by its name. */
  boolean isPiece(String name) {
    return !scales.isEmpty()
        && (SCALES.stream().anyMatch(name::endsWith) || OTHERS.stream().anyMatch(name::endsWith));
  }
}
