package org.loranative.train.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.data.Source;
import org.loranative.data.llm.Example;
import org.loranative.text.Tokenizer;
import org.loranative.text.Tokenizers;
import org.loranative.train.Task;

class PiecesTest {
  private static final String TEXT = "Where is  the 🐙? ナチュラル, tôt — là-bas\n\tend";

  /** The pieces are the text, none breaks a character, and each token's item is in one piece. */
  @ParameterizedTest
  @ValueSource(strings = {"gpt-2", "smollm", "llama-bpe", "sentencepiece", "qwen2"})
  void areTheTextTokenByToken(String name) {
    try (Tokenizer tokenizer =
        Tokenizers.fromFolder(Path.of("src/test/resources/tokenizers", name))) {
      int[] ids = tokenizer.encode(TEXT, false).ids();
      int prompt = 4;
      int[] labels = new int[ids.length];
      for (int t = 0; t < ids.length; t++) {
        labels[t] = t < prompt || t + 1 == ids.length ? -1 : ids[t + 1];
      }
      List<Task.Piece> pieces =
          Pieces.of(new Example(ids, labels, new Source(Path.of("x"), 1)), tokenizer);
      assertThat(pieces.stream().map(Task.Piece::text).collect(Collectors.joining()))
          .isEqualTo(tokenizer.decode(ids));
      assertThat(pieces).noneMatch(p -> p.text().contains("\ufffd"));
      int[] covered = new int[ids.length];
      for (Task.Piece p : pieces) {
        Arrays.fill(covered, p.from(), p.to(), 1 + covered[p.from()]);
      }
      for (int t = 0; t < ids.length; t++) {
        assertThat(covered[t]).as("item %d", t).isEqualTo(labels[t] >= 0 ? 1 : 0);
      }
      Task.Piece last = pieces.get(pieces.size() - 1);
      assertThat(last.to()).isEqualTo(ids.length - 1);
    }
  }
}
