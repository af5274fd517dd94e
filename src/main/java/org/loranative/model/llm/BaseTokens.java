package org.loranative.model.llm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.loranative.UserException;
import org.loranative.io.TensorFile;
import org.loranative.text.NewTokens;
import org.loranative.text.Tokenizer;
import org.loranative.text.TokenizerFiles;
import org.loranative.text.Tokenizers;

/**
 * The tokens of a base.
 *
 * @param file its tensors, and of a GGUF its vocabulary
 * @param added beside its own
 */
record BaseTokens(Path path, TensorFile file, boolean gguf, NewTokens added) {

  /** Those of its files alone. */
  static BaseTokens of(Path path, TensorFile file, boolean gguf) {
    return new BaseTokens(path, file, gguf, NewTokens.NONE);
  }

  BaseTokens with(NewTokens more) {
    return new BaseTokens(path, file, gguf, more);
  }

  /** What the tokenizer beside an adapter has more than its files. */
  NewTokens of(Path adapter) {
    return gguf ? Tokenizers.added(adapter, path, file) : Tokenizers.added(adapter, path);
  }

  /** Refuses an adapter with a tokenizer beside it that has added others. */
  void requireThoseOf(Path adapter) {
    NewTokens theirs = of(adapter);
    if (Tokenizers.isBeside(adapter) && !theirs.equals(added)) {
      throw new UserException(
          String.format(
              "init_adapter %s has rows for the added tokens %s, but add_tokens is %s; give the"
                  + " same in the same order.",
              adapter, quoted(theirs), quoted(added)));
    }
  }

  private static String quoted(NewTokens tokens) {
    return tokens.texts().stream()
        .map(text -> '"' + text + '"')
        .collect(Collectors.joining(", ", "[", "]"));
  }

  /** Rows that an embedding needs for all of them. */
  int rows() {
    int own = gguf ? Tokenizers.firstFree(path, file) : Tokenizers.firstFree(path);
    return own + added.texts().size();
  }

  Tokenizer open() {
    return gguf ? Tokenizers.fromGguf(path, file, added) : Tokenizers.fromFolder(path, added);
  }

  /** Writes what other tools need to use an adapter as it was trained. */
  void write(Tokenizer tokenizer, Path folder) throws IOException {
    if (gguf) {
      TokenizerFiles.fromGguf(path, file, added, tokenizer, folder);
    } else {
      TokenizerFiles.copy(path, added, tokenizer, folder);
    }
  }
}
