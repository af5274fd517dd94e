package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.UserException;
import org.loranative.testing.Seeded;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.text.jinja.Template;
import org.loranative.text.jinja.TemplateException;

/** Chat templates against transformers' renderings, and hostile ones. */
@ExtendWith(Seeded.class)
class ChatTemplateTest {
  private static final Path FOLDER = Path.of("src/test/resources/templates");

  @TestFactory
  Stream<DynamicTest> rendersAsTransformersDoes() throws IOException {
    JsonNode all = new ObjectMapper().readTree(FOLDER.resolve("rendered.json").toFile());
    return StreamSupport.stream(all.spliterator(), false)
        .map(
            c ->
                DynamicTest.dynamicTest(
                    c.path("template").asText() + " " + c.path("messages").size(), () -> check(c)));
  }

  private static void check(JsonNode c) throws IOException {
    ChatTemplate template =
        new ChatTemplate(
            "test",
            Files.readString(FOLDER.resolve(c.path("template").asText() + ".jinja")),
            Optional.of(c.path("bos").asText()),
            Optional.of(c.path("eos").asText()));
    List<Message> messages = new ArrayList<>();
    c.path("messages")
        .forEach(
            m -> messages.add(new Message(m.path("role").asText(), m.path("content").asText())));
    boolean prompt = c.path("add_generation_prompt").asBoolean();
    if (c.has("error")) {
      assertThatThrownBy(() -> template.render(messages, prompt))
          .isInstanceOf(TemplateException.class);
    } else {
      assertThat(template.render(messages, prompt)).isEqualTo(c.path("rendered").asText());
    }
  }

  @Test
  void namesTheModelOfATemplateThatCannotBeRead() {
    assertThatThrownBy(
            () ->
                new ChatTemplate(
                    "models/x", "{% if a %}no end", Optional.empty(), Optional.empty()))
        .isInstanceOf(UserException.class)
        .hasMessage("The chat template of models/x cannot be read: line 1: expected endif.");
  }

  @Test
  void stopsTemplatesThatNeverEnd() {
    String nested = "{% for a in range(1000000) %}".repeat(2);
    String ends = "{% endfor %}".repeat(2);
    Template template = new Template(nested + "0123456789" + ends);
    assertThatThrownBy(() -> template.render(java.util.Map.of()))
        .isInstanceOf(TemplateException.class);
    assertThatThrownBy(() -> new Template("{{ " + "(".repeat(5000) + " }}"))
        .isInstanceOf(TemplateException.class);
  }

  /** Broken templates end in a TemplateException, never in another failure. */
  @RepeatedTest(20)
  void survivesBrokenTemplates(Random random) throws IOException {
    List<Path> files;
    try (Stream<Path> list = Files.list(FOLDER)) {
      files = list.filter(f -> f.toString().endsWith(".jinja")).sorted().toList();
    }
    Random r = new Random(random.nextLong() + System.nanoTime());
    StringBuilder text = new StringBuilder(Files.readString(files.get(r.nextInt(files.size()))));
    for (int i = 0; i < 3; i++) {
      int at = r.nextInt(text.length());
      switch (r.nextInt(3)) {
        case 0 -> text.deleteCharAt(at);
        case 1 -> text.insert(at, "{}[]()%|.-'\"".charAt(r.nextInt(12)));
        default -> text.setLength(Math.max(1, at));
      }
    }
    try {
      new ChatTemplate("test", text.toString(), Optional.of("<s>"), Optional.of("</s>"))
          .render(List.of(new Message("user", "hi"), new Message("assistant", "x")), true);
    } catch (TemplateException | UserException e) {
      assertThat(e.getMessage()).isNotBlank();
    }
  }
}
