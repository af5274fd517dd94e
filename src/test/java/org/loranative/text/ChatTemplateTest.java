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
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
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

  /** Each of these asks for more depth, memory or time than any model's template. */
  static Stream<String> hostile() {
    String doubled = "{% set ns = namespace(v=";
    String grow = ") %}{% for i in range(60) %}{% set ns.v = ";
    return Stream.of(
        doubled + "'x'" + grow + "ns.v ~ ns.v %}{% endfor %}{{ ns.v }}",
        doubled + "[1]" + grow + "ns.v + ns.v %}{% endfor %}{{ ns.v }}",
        doubled + "[1]" + grow + "[ns.v, ns.v] %}{% endfor %}{{ ns.v }}",
        doubled + "[1]" + grow + "[ns.v, ns.v] %}{% endfor %}{{ ns.v | tojson }}",
        "{% set a = namespace(v=[1]) %}{% set b = namespace(v=[1]) %}{% for i in range(60) %}"
            + "{% set a.v = [a.v, a.v] %}{% set b.v = [b.v, b.v] %}{% endfor %}{{ a.v == b.v }}",
        doubled + "[1]" + grow + "[ns.v, ns.v] %}{% endfor %}{{ [ns.v, 1] | unique }}",
        doubled + "'xx'" + grow + "ns.v | replace('x', ns.v) %}{% endfor %}",
        doubled + "'x'" + grow + "ns.v.join([ns.v, ns.v, ns.v]) %}{% endfor %}",
        "{{ 'x' * 100000 * 100000 }}",
        "{{ 'x' * 9223372036854775807 }}",
        "{{ ('a' * 100000) | replace('', 'b' * 100000) }}",
        "{{ ('a\nb' * 10000) | indent(2000000000) }}",
        "{{ {'a': [1]} | tojson(indent=2000000000) }}",
        "{% set s = 'a' * 8000000 %}{{ range(1000) | map('replace', '1', s) | list | length }}",
        "{% set l = [1] %}{% if l.append(l) %}{% endif %}{{ l }}",
        "{% set l = [1] %}{% if l.append(l) %}{% endif %}{{ l | tojson }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for a in range(1000000) %}{% for b in range(1000000) %}{% endfor %}{% endfor %}",
        "{% set l = range(1000000) | list %}{% for a in l %}{% if -1 in l %}{% endif %}{% endfor %}",
        "{{ " + "not ".repeat(100000) + "1 }}",
        "{{ " + "-".repeat(100000) + "1 }}",
        "{{ 1" + " ** 1".repeat(100000) + " }}",
        "{{ 1" + " + 1".repeat(100000) + " }}",
        "{{ a" + ".a".repeat(100000) + " }}",
        "{{ 'a'" + "|upper".repeat(100000) + " }}",
        "{{ " + "[".repeat(100000) + " }}",
        "{{ " + "1 if 1 else ".repeat(100000) + "1 }}",
        "{% if 1 %}".repeat(100000),
        "{{ 99999999999999999999 }}",
        "{{ '\\uZZZZ' }}",
        "{{ '\\u12",
        "{%",
        "{{ a is",
        "{{ range(0, 1, 0) }}",
        "{{ 1 // 0 if false else 1 % 0 }}{{ [] | first | upper }}{{ 'a' | int('b') }}");
  }

  @ParameterizedTest
  @MethodSource("hostile")
  @Timeout(60)
  void refusesHostileTemplates(String source) {
    assertThatThrownBy(() -> new Template(source).render(Map.of()))
        .isInstanceOf(TemplateException.class)
        .message()
        .isNotBlank();
  }

  /** Broken templates end in a TemplateException, never in another failure. */
  @RepeatedTest(20)
  void survivesBrokenTemplates(Random r) throws IOException {
    List<Path> files;
    try (Stream<Path> list = Files.list(FOLDER)) {
      files = list.filter(f -> f.toString().endsWith(".jinja")).sorted().toList();
    }
    StringBuilder text = new StringBuilder(Files.readString(files.get(r.nextInt(files.size()))));
    for (int i = 0; i < 3 && !text.isEmpty(); i++) {
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
