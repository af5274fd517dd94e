package org.loranative.model.weights;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * Scales of matrices in floats of 8 bits, which stand beside them: one number, as ComfyUI writes
 * them ({@code NAME.scale_weight}, newer files {@code NAME.weight_scale}); one for each row, as
 * compressed-tensors does ({@code NAME.weight_scale}, [out, 1]); or one for each block of rows and
 * columns, as DeepSeek's and Qwen's checkpoints have them ({@code NAME.weight_scale_inv}; in spite
 * of the name numbers are multiplied by it).
 */
final class Float8Scales {
  private static final String WEIGHT = ".weight";
  private static final List<String> SCALES =
      List.of(".scale_weight", ".weight_scale", ".weight_scale_inv");

  /** What else such files hold, which only their own kernels read. */
  private static final List<String> OTHERS =
      List.of(
          ".scale_input",
          ".input_scale",
          ".input_scale_ub",
          ".activation_scale",
          ".comfy_quant",
          "scaled_fp8");

  /** A tensor of a file, by the file's own name: what it is cut into shares its scale. */
  private record Place(Path file, String name) {}

  /** A scale and its numbers. */
  private record Stored(TensorEntry entry, float[] numbers) {}

  private final Map<Place, Stored> scales = new HashMap<>();
  private final long blockRows;
  private final long blockColumns;

  private Float8Scales(long blockRows, long blockColumns) {
    this.blockRows = blockRows;
    this.blockColumns = blockColumns;
  }

  /**
   * Those of a checkpoint, each of which fits its matrix.
   *
   * @param blockRows rows that share a scale, where blocks do
   * @param blockColumns columns that do
   */
  static Float8Scales find(Map<String, TensorEntry> entries, long blockRows, long blockColumns) {
    Set<Place> places = new HashSet<>();
    Map<String, Path> files = new HashMap<>();
    for (TensorEntry e : entries.values()) {
      places.add(new Place(e.file(), e.name()));
      files.put(e.name(), e.file());
    }
    Float8Scales found = new Float8Scales(blockRows, blockColumns);
    entries.forEach(
        (name, entry) -> {
          for (String end : SCALES) {
            if (name.endsWith(end)) {
              String own = entry.name();
              String weight = own.substring(0, own.length() - end.length()) + WEIGHT;
              Place place = new Place(entry.file(), weight);
              if (!places.contains(place)) { // shards may part the two
                place = new Place(files.getOrDefault(weight, entry.file()), weight);
              }
              found.scales.put(place, new Stored(entry, numbers(entry)));
            }
          }
        });
    entries.values().forEach(found::of);
    return found;
  }

  private static float[] numbers(TensorEntry entry) {
    if (!List.of("F32", "BF16", "F16").contains(entry.type()) || entry.elements() == 0) {
      throw unreadable(entry);
    }
    return Safetensors.floats(entry);
  }

  private static UserException unreadable(TensorEntry scale) {
    return new UserException(
        String.format(
            "%s: %s is %s %s; only matrices in floats of 8 bits with one scale each, one a row or"
                + " one a block (F32, BF16 or F16) are supported. Take the model's bf16 or GGUF"
                + " file.",
            scale.file(), scale.name(), scale.type(), scale.shape()));
  }

  boolean isEmpty() {
    return scales.isEmpty();
  }

  /** What a tensor's numbers are multiplied by. */
  Scale of(TensorEntry entry) {
    Stored stored = scales.isEmpty() ? null : scales.get(new Place(entry.file(), entry.name()));
    if (stored == null) {
      return Scale.NONE;
    }
    float[] numbers = stored.numbers();
    long columns = entry.columns();
    long rows = entry.rows();
    if (numbers.length == 1) {
      return numbers[0] == 1 ? Scale.NONE : new Scale(numbers, Math.max(1, columns), rows, columns);
    }
    List<Long> grid = stored.entry().shape();
    if (grid.equals(List.of(rows, 1L)) || grid.equals(List.of(rows))) {
      return new Scale(numbers, columns, 1, columns);
    }
    if (grid.equals(List.of(across(rows, blockRows), across(columns, blockColumns)))) {
      return new Scale(numbers, columns, blockRows, blockColumns);
    }
    throw new UserException(
        String.format(
            "%s: %s is %s, but its scale %s is %s: neither one number, nor one a row, nor one a"
                + " block of %d x %d. Take the model's bf16 or GGUF file.",
            entry.file(),
            entry.name(),
            entry.shape(),
            stored.entry().name(),
            grid,
            blockRows,
            blockColumns));
  }

  private static long across(long side, long block) {
    return (side + block - 1) / block;
  }

  /** Refuses a matrix in floats of 8 bits that has none. */
  void requireAll(String source, Map<String, TensorEntry> entries) {
    entries.values().stream()
        .filter(e -> e.type().startsWith("F8_") && e.shape().size() > 1)
        .filter(e -> !scales.containsKey(new Place(e.file(), e.name())))
        .map(TensorEntry::name)
        .sorted()
        .findFirst()
        .ifPresent(
            name -> {
              throw new UserException(
                  source + ": " + name + " has no scale beside it; the files may be incomplete.");
            });
  }

  /** Whether a tensor belongs to another's numbers, by its name. */
  boolean isPiece(String name) {
    return !scales.isEmpty()
        && (SCALES.stream().anyMatch(name::endsWith) || OTHERS.stream().anyMatch(name::endsWith));
  }
}
