package org.loranative.train.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.model.llm.LlmBase;
import org.loranative.testing.TinyModel;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.text.Tokenizer;

/** What {@code generate}, {@code serve} and {@code evaluate} take of the run behind an adapter. */
class RunTokenizerTest {
  private static final List<Message> HI = List.of(new Message("user", "hi"));

  @TempDir private Path folder;

  private static String rendered(LlmBase base, Path adapter) {
    try (Tokenizer tokenizer = base.tokenizer()) {
      RunTokenizer.of(adapter, tokenizer);
      return tokenizer.chatTemplate().orElseThrow().render(HI, true);
    }
  }

  @Test
  void takesTheTemplateBesideAnAdapterAndTheVariablesOfItsRun() throws IOException {
    Path adapter = Files.createDirectories(folder.resolve("run/adapter"));
    LlmBase base = LlmBase.open(TinyModel.write(folder.resolve("base")));
    String own = rendered(base, adapter);
    Files.writeString(
        adapter.resolve("chat_template.jinja"),
        "{% if quiet %}SHH {% endif %}{{ depth }}{{ messages[0].content }}");
    assertThat(rendered(base, adapter)).isEqualTo("hi").isNotEqualTo(own);
    Files.writeString(
        folder.resolve("run/config.yaml"), "template_kwargs: {quiet: true, depth: 3}\n");
    assertThat(rendered(base, adapter)).isEqualTo("SHH 3hi");
  }
}
