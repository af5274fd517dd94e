package org.loranative.export;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.text.ChatTemplate;
import org.loranative.text.ChatTemplate.Message;

/** Go's template up to the answer, filled in, is what the model's own template writes. */
class ModelfileTest {
  private static final Pattern SYSTEM =
      Pattern.compile(
          "\\{\\{ if \\.System }}(.*?)\\{\\{ else }}(.*?)\\{\\{ end }}", Pattern.DOTALL);

  @ParameterizedTest
  @ValueSource(
      strings = {
        "deepseek-r1-distill",
        "gemma3",
        "llama3",
        "llama3-tools",
        "mistral",
        "phi3",
        "qwen2.5",
        "qwen2.5-tools",
        "qwen3",
        "smollm2"
      })
  void saysWhatTheModelsTemplateSays(String name) throws Exception {
    String jinja =
        Files.readString(Path.of("src/test/resources/templates").resolve(name + ".jinja"));
    ChatTemplate template =
        new ChatTemplate(name, jinja, Optional.of("<bos>"), Optional.of("<eos>"));
    String go = Modelfile.template(template, "<bos>");
    Message question = new Message("user", "How deep is the sea?");
    assertThat(filled(go, "", question.content()))
        .isEqualTo(withoutBos(template.render(List.of(question), true)));
    if (SYSTEM.matcher(go).find()) {
      assertThat(filled(go, "Be brief.", question.content()))
          .isEqualTo(
              withoutBos(
                  template.render(List.of(new Message("system", "Be brief."), question), true)));
    }
  }

  private static String withoutBos(String text) {
    return text.startsWith("<bos>") ? text.substring("<bos>".length()) : text;
  }

  /** As Go fills in a question that is to be answered. */
  private static String filled(String go, String system, String prompt) {
    Matcher m = SYSTEM.matcher(go);
    String head = m.find() ? m.group(system.isEmpty() ? 2 : 1) : "";
    String rest = m.hitEnd() && head.isEmpty() ? go : go.substring(head.isEmpty() ? 0 : m.end());
    String whole = head + rest;
    return whole
        .substring(0, whole.indexOf("{{ .Response }}"))
        .replace("{{ .System }}", system)
        .replace("{{ .Prompt }}", prompt);
  }
}
