package org.loranative.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.data.Source;
import org.loranative.data.llm.Example;
import org.loranative.testing.TinyModel;
import org.loranative.text.Tokenizer;
import org.loranative.text.Tokenizers;
import org.loranative.train.llm.ShownExample;

/** {@code data} of texts, and what refuses them. */
class ShownTextsTest {
  private static final String CHAT =
      "{\"messages\":[{\"role\":\"user\",\"content\":\"a <b>\\u001b[31m & c\"},"
          + "{\"role\":\"assistant\",\"content\":\"yes\\nno\"}]}\n";

  @TempDir private Path folder;
  private Path base;

  @BeforeEach
  void prepare() throws IOException {
    base = TinyModel.write(folder.resolve("base"));
  }

  private Typed data(String content, String... more) throws IOException {
    return typed("data", content, more);
  }

  private Typed typed(String command, String content, String... more) throws IOException {
    Path data = folder.resolve("data.jsonl");
    Files.writeString(data, content);
    String[] all = new String[more.length + 4];
    all[0] = command;
    all[1] = "--set=base_model=" + base;
    all[2] = "--set=metadata_path=" + data;
    all[3] = "--set=output_dir=" + folder.resolve("run");
    System.arraycopy(more, 0, all, 4, more.length);
    return Typed.run(all);
  }

  private void template(String jinja) throws IOException {
    Path config = base.resolve("tokenizer_config.json");
    ObjectNode json = (ObjectNode) new ObjectMapper().readTree(config.toFile());
    new ObjectMapper().writeValue(config.toFile(), json.put("chat_template", jinja));
  }

  /** Without marks and signs the text is the rendered one; marked is the answer with its end. */
  @Test
  void marksWhatIsTrained() throws IOException {
    Typed shown = data(CHAT);
    assertThat(shown.code()).as(shown.output()).isZero();
    String body = shown.output().substring(shown.output().indexOf("<|im_start|>user"));
    assertThat(body)
        .startsWith("<|im_start|>user↵\na <b>␛[31m & c<|im_end|>↵\n<|im_start|>assistant↵\n⟦");
    String answer = body.substring(body.indexOf('⟦'), body.lastIndexOf('⟧') + 1);
    assertThat(answer.replaceAll("[⟦⟧]", "")).isEqualTo("yes↵\nno<|im_end|>");
    assertThat(shown.output()).doesNotContain("\u001b");
  }

  /** What training would refuse of added tokens is refused here, too. */
  @Test
  void addedTokensNeedTheirRows() throws IOException {
    String tokens = "--set=add_tokens=[\"yes\"]";
    Typed alone = data(CHAT, tokens);
    assertThat(alone.code()).isEqualTo(2);
    assertThat(alone.output()).contains("modules_to_save: [embed_tokens]");
    assertThat(data(CHAT, tokens, "--set=modules_to_save=[embed_tokens]").code()).isZero();
  }

  /** Counted apart from the program: by labels. */
  @Test
  void countsTokens() throws IOException {
    try (Tokenizer tokenizer = Tokenizers.fromFolder(base)) {
      int[] ids = tokenizer.encode("one two 👮‍♂️ three", false).ids();
      int[] labels = new int[ids.length];
      for (int i = 0; i < ids.length; i++) {
        labels[i] = i >= 2 && i + 1 < ids.length ? ids[i + 1] : -1;
      }
      ShownExample shown =
          ShownExample.of(new Example(ids, labels, new Source(Path.of("x"), 7)), tokenizer);
      assertThat(shown.trained()).isEqualTo(ids.length - 3);
      assertThat(shown.tokens()).isEqualTo(ids.length);
      assertThat(shown.parts().get(2).trained()).isFalse();
      assertThat(shown.parts().stream().skip(3)).allMatch(ShownExample.Token::trained);
      String coloured = MaskText.of(shown, true);
      assertThat(coloured.replaceAll("\u001b\\[[0-9;]*m", ""))
          .isEqualTo(MaskText.of(shown, false).replaceAll("[⟦⟧]", ""));
    }
  }

  @Test
  void writesAPageWithNothingOfTheDataInItsMarkup() throws IOException {
    Path page = folder.resolve("mask.html");
    assertThat(data(CHAT, "--html=" + page).code()).isZero();
    String written = Files.readString(page);
    assertThat(written)
        .doesNotContain("http:", "https:", "<script")
        .contains("prefers-color-scheme: dark");
    String text =
        written
            .substring(written.indexOf("<pre>"))
            .replaceAll("<[^>]*>", "")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&");
    assertThat(text).contains("a <b>␛[31m & c<|im_end|>↵", "yes↵\nno<|im_end|>");
    assertThat(data(CHAT, "--html=" + page).code()).isZero(); // anew
    Path other = Files.writeString(folder.resolve("mine.html"), "<p>mine</p>");
    Typed refused = data(CHAT, "--html=" + other);
    assertThat(refused.code()).isEqualTo(2);
    assertThat(other).hasContent("<p>mine</p>");
  }

  @Test
  void refusesChatsOfWhichNothingOrEverythingIsTrained() throws IOException {
    String noAnswer = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}\n";
    for (String command : List.of("data", "train")) {
      Typed nothing = typed(command, noAnswer);
      assertThat(nothing.code()).isEqualTo(2);
      assertThat(nothing.output()).contains("can be trained on: it holds nothing to learn");
    }
    template(
        "{% generation %}{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}{%"
            + " endgeneration %}");
    for (String command : List.of("data", "train")) {
      Typed everything = typed(command, CHAT);
      assertThat(everything.code()).isEqualTo(2);
      assertThat(everything.output()).contains("Every token", "train_on: all");
    }
    assertThat(data(CHAT, "--set=train_on=all").code()).isZero();
    template(
        "{% for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ m.content"
            + " }}<|im_end|>{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}");
    Path held = folder.resolve("held.jsonl");
    Files.writeString(held, "{\"messages\":[{\"role\":\"assistant\",\"content\":\"yes\"}]}\n");
    for (String command : List.of("data", "train")) {
      Typed measured = typed(command, CHAT, "--set=validation_path=" + held);
      assertThat(measured.code()).isEqualTo(2);
      assertThat(measured.output())
          .contains("Every token of " + held + "'s conversations would be measured");
    }
    assertThat(data(CHAT).code()).isZero();
  }
}
