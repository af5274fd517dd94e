package org.loranative.model.diffusion.clip;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.graph.ops.Act;
import org.loranative.text.ClipTokenizer;
import org.loranative.text.Tokenizers;

/**
 * Where a text encoder's tokenizer is.
 *
 * @param chosen whether the user named the folder, which then must hold one
 * @param foreign whether the folder is another model's, so that its padding may be another too
 */
public record TokenizerPlace(Path folder, boolean chosen, boolean foreign, ClipConfig encoder) {
  /**
   * A tokenizer that is not the model's own: in a folder {@code name} in {@code folder}, else in
   * its folder "tokenizer", which serves both of XL's encoders, else in it.
   */
  public static TokenizerPlace foreign(
      Path folder, boolean chosen, String name, ClipConfig encoder) {
    Path inside =
        Stream.of(name, "tokenizer")
            .map(folder::resolve)
            .filter(inner -> Files.isDirectory(inner) && !Tokenizers.isUnigram(inner))
            .findFirst()
            .orElse(folder);
    return new TokenizerPlace(inside, chosen && !holdsT5s(folder), true, encoder);
  }

  /** Whether a folder was named for the tokenizer of a T5, which stands beside CLIP's own. */
  private static boolean holdsT5s(Path folder) {
    return Stream.of("", "tokenizer_2", "tokenizer_3")
        .map(folder::resolve)
        .anyMatch(Tokenizers::isUnigram);
  }

  /** In a model's folder, under a name; or what the user chose. */
  public static TokenizerPlace in(
      Path model, Optional<Path> chosen, String name, ClipConfig encoder) {
    return chosen
        .map(folder -> foreign(folder, true, name, encoder))
        .orElse(new TokenizerPlace(model.resolve(name), false, false, encoder));
  }

  /** Beside a checkpoint of one file; or what the user chose. */
  public static TokenizerPlace beside(
      Path file, Optional<Path> chosen, String name, ClipConfig encoder) {
    Path folder = chosen.orElse(file.toAbsolutePath().getParent());
    return foreign(folder, chosen.isPresent(), name, encoder);
  }

  /** Opens it, or CLIP's own where there is none; the caller closes it. */
  public ClipTokenizer open() {
    // OpenCLIP's towers pad with token 0, OpenAI's with the end; the vocabulary is the same.
    boolean openClip = encoder.act() == Act.GELU;
    if (ClipTokenizer.isIn(folder)) {
      return ClipTokenizer.fromFolder(folder, foreign && openClip);
    }
    if (chosen || encoder.vocab() != ClipTokenizer.BUILT_IN_TOKENS) {
      throw new UserException(
          folder
              + " holds no tokenizer (vocab.json and merges.txt, or tokenizer.json)."
              + (chosen
                  ? " Name a folder that does, or leave tokenizer_path (--tokenizer) out: CLIP's"
                      + " is built in."
                  : " CLIP's, which is built in, has "
                      + ClipTokenizer.BUILT_IN_TOKENS
                      + " tokens, this base "
                      + encoder.vocab()
                      + ": name its own with tokenizer_path (--tokenizer)."));
    }
    return ClipTokenizer.builtIn(openClip);
  }
}
