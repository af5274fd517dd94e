package org.loranative.train.verification;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.loranative.UserException;
import org.loranative.data.TextFile;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.io.TensorFile;
import org.loranative.train.llm.Answers;

/** What another program, such as llama.cpp, gave for the exported model. */
public sealed interface OtherAnswer {
  /** Compares a model with it. */
  LanguageVerification.Result compare(LanguageVerification asked, Supplier<Answers> model);

  /** The likeliest answer to the first question. */
  record Text(String answer) implements OtherAnswer {
    @Override
    public LanguageVerification.Result compare(
        LanguageVerification asked, Supplier<Answers> model) {
      return asked.compare(model, answer);
    }
  }

  /** Logits [T, V] behind tokens [T]. */
  record Logits(int[] ids, float[][] logits) implements OtherAnswer {
    @Override
    public LanguageVerification.Result compare(
        LanguageVerification asked, Supplier<Answers> model) {
      return LanguageVerification.compare(model, ids, logits);
    }
  }

  /**
   * Reads a {@code .txt} with the answer, or a {@code .safetensors} with the tensors {@code ids}
   * [T] i32 or i64 and {@code logits} [T, V]; of other files, nothing.
   */
  static Optional<OtherAnswer> of(Path file) {
    String name = file.getFileName().toString();
    if (name.endsWith(".txt")) {
      return Optional.of(new Text(TextFile.read(file, TextFile.Encoding.UTF_8)));
    }
    if (!name.endsWith(".safetensors")) {
      return Optional.empty();
    }
    TensorFile tensors = Safetensors.read(file);
    TensorEntry ids = tensors.tensors().get("ids");
    TensorEntry logits = tensors.tensors().get("logits");
    if (ids == null
        || logits == null
        || !List.of("I32", "I64").contains(ids.type())
        || logits.shape().size() != 2
        || !ids.shape().equals(logits.shape().subList(0, 1))
        || ids.elements() == 0) {
      throw new UserException(
          file + " must hold the tensors \"ids\" [T] (I32 or I64) and \"logits\" [T, V].");
    }
    int[] tokens = new int[Math.toIntExact(ids.elements())];
    for (int t = 0; t < tokens.length; t++) {
      tokens[t] =
          ids.type().equals("I32")
              ? Safetensors.data(ids).getInt(4 * t)
              : (int) Safetensors.data(ids).getLong(8 * t);
    }
    float[] flat = Safetensors.floats(logits);
    int vocabulary = flat.length / tokens.length;
    float[][] rows = new float[tokens.length][];
    for (int t = 0; t < tokens.length; t++) {
      rows[t] = Arrays.copyOfRange(flat, t * vocabulary, (t + 1) * vocabulary);
    }
    return Optional.of(new Logits(tokens, rows));
  }
}
