package org.loranative.model.diffusion.t5;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.text.Tokenizers;

/**
 * A T5 and where its tokenizer is looked for.
 *
 * @param prefix of its weights and inputs: {@code text_encoder_3.}
 * @param tokens of a text that it reads
 * @param masked whether no token sees padding, as the pipelines of some families have it
 */
public record T5Place(
    T5Config config, List<Path> folders, String prefix, int tokens, boolean masked) {
  private static final List<String> NAMES = List.of("tokenizer_3", "tokenizer_2", "tokenizer");

  public T5Place {
    folders = List.copyOf(folders);
  }

  /** Of a checkpoint of one file: what the user names, with the text encoders, beside the file. */
  public static List<Path> beside(Path file, BaseOptions options) {
    List<Path> around = new ArrayList<>();
    options.tokenizer().ifPresent(around::add);
    for (Path encoder : options.textEncoders()) {
      around.add(Files.isDirectory(encoder) ? encoder : encoder.toAbsolutePath().getParent());
    }
    around.add(file.toAbsolutePath().getParent());
    return around.stream()
        .flatMap(folder -> Stream.concat(NAMES.stream().map(folder::resolve), Stream.of(folder)))
        .toList();
  }

  /** Of a folder in diffusers' layout: what the user names, else the base's own. */
  public static List<Path> in(Path folder, BaseOptions options, String name) {
    return Stream.concat(
            options.tokenizer().stream().flatMap(t -> Stream.of(t.resolve(name), t)),
            Stream.of(folder.resolve(name)))
        .toList();
  }

  /** What it computes in where the rest of the model computes in a dtype: it overflows f16. */
  public DType compute(DType other) {
    return other == DType.F16 ? DType.F32 : other;
  }

  private static boolean hasAny(Path folder) {
    return Files.exists(folder.resolve("tokenizer.json"));
  }

  /** Opens the tokenizer; the caller closes it. */
  public T5Reader open() {
    return folders.stream()
        // T5's are of this kind, CLIP's, which may lie beside it, are not.
        .filter(folder -> folders.size() == 1 && hasAny(folder) || Tokenizers.isUnigram(folder))
        .findFirst()
        .map(folder -> new T5Reader(folder, this))
        .orElseThrow(
            () ->
                new UserException(
                    "T5's tokenizer (tokenizer.json or spiece.model) is not in "
                        + (folders.size() > 1
                            ? folders.get(0).getParent() + " or beside the base"
                            : folders.get(0))
                        + ". Download it with the model (its folder tokenizer, tokenizer_2 or"
                        + " tokenizer_3) or with google/t5-v1_1-xxl, and name it with"
                        + " tokenizer_path (--tokenizer)."));
  }
}
