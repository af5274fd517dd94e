package org.loranative;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a shell reads is the word again. */
class ShellWordTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "out/run-1/adapter",
        "my models/it's here",
        "$HOME/`id`/*",
        "a;b",
        "Größe/…",
        "~/x",
        "a\"b\\c",
        "two\nlines"
      })
  void shellsReadTheWord(String word) throws IOException {
    Process shell =
        new ProcessBuilder("sh", "-c", "printf %s " + ShellWord.of(word))
            .redirectErrorStream(true)
            .start();
    String read = new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(read).isEqualTo(word);
  }

  @ParameterizedTest
  @ValueSource(strings = {"out/run-1/adapter_model.safetensors", "/home/anna/Größe"})
  void plainWordsStayAsTheyAre(String word) {
    assertThat(ShellWord.of(word)).isEqualTo(word);
  }
}
