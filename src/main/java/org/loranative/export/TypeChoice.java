package org.loranative.export;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.export.blocks.Encoders;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.weights.StoredRows;

/**
 * What type tensors are written in.
 *
 * @param chosen of matrices; absent for each tensor's own
 * @param blocks whether the format to be written has types of blocks
 */
record TypeChoice(Optional<DType> chosen, boolean blocks) {
  private static final String SOURCE = "source";

  /** What is read but never written: rounding again would lose what a merge changes. */
  private static final Set<DType> WIDENED =
      Set.of(DType.NF4, DType.F8_E4M3, DType.F8_E5M2, DType.MXFP4);

  /** Where blocks cannot be written. */
  static final DType PLAIN = DType.BF16;

  /** Columns that no matrix of a layer has so few of, but a short convolution. */
  private static final int NARROW = 16;

  /** As the option says. */
  static TypeChoice of(String name, boolean blocks) {
    List<String> plain = List.of("f32", "f16", "bf16");
    if (name.equals(SOURCE)) {
      return new TypeChoice(Optional.empty(), blocks);
    }
    if (!plain.contains(name) && !(blocks && name.equals("q8_0"))) {
      throw new UserException(
          String.format(
              "--type is %s, but must be source, %s%s.",
              name,
              blocks ? "f32, f16, bf16 or q8_0" : "f32, f16 or bf16",
              name.equals("q8_0") ? " (blocks are GGUF's: name an --out that ends in .gguf)" : ""));
    }
    return new TypeChoice(DType.named(name.toUpperCase(Locale.ROOT)), blocks);
  }

  /**
   * Of a tensor; none for one that holds no such numbers, which is copied. MXFP4 is what a GGUF has
   * already, which can be copied only: what is changed becomes {@link #PLAIN}.
   *
   * @param entry as the source has it
   */
  Optional<DType> of(TensorEntry entry) {
    Optional<DType> stored = DType.named(entry.type());
    boolean rare = StoredRows.isRare(entry.type());
    boolean widened = rare || stored.isPresent() && WIDENED.contains(stored.get());
    if (stored.isEmpty() && !rare || !widened && Encoders.of(stored.get()).isEmpty()) {
      return Optional.empty();
    }
    if (blocks && chosen.isEmpty() && entry.type().equals(DType.MXFP4.name())) {
      return stored;
    }
    boolean vector = entry.shape().size() < 2;
    boolean taps = entry.columns() < NARROW;
    if (blocks && (vector || taps)) {
      return Optional.of(DType.F32); // as llama.cpp wants them
    }
    boolean writable = !widened && (blocks || !stored.get().isBlocks());
    DType type = chosen.orElse(writable ? stored.orElseThrow() : PLAIN);
    boolean whole = entry.columns() % type.elementsPerBlock == 0;
    return Optional.of(whole ? type : DType.F16);
  }

  /** Of the matrices of a model's layers. */
  DType ofMatrices(LlmBase base) {
    return of(base.weights().entry(base.config().linearPaths().get(0) + ".weight")).orElseThrow();
  }

  /** What GGUF's {@code general.file_type} is then (llama.cpp's llama_ftype). */
  static int ggufFileType(DType matrices) {
    return switch (matrices) {
      case F32 -> 0;
      case F16 -> 1;
      case Q8_0 -> 7;
      case BF16 -> 32;
      default -> throw new IllegalStateException(matrices.name());
    };
  }
}
