package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.text.ChatTemplate.Message;

/** Templates by name against those that the models of these names bring. */
class NamedTemplatesTest {
  private static final List<Message> CHAT =
      List.of(
          new Message("user", "What is 1 + 1?"),
          new Message("assistant", "2"),
          new Message("user", "And\n2 < 3 & so on?"),
          new Message("assistant", "Yes."));

  private static ChatTemplate template(String jinja) {
    return new ChatTemplate("test", jinja, Optional.of("<s>"), Optional.of("</s>"));
  }

  /** Without system prompts, of which each model has its own. */
  @ParameterizedTest
  @CsvSource({"llama3, llama3", "gemma, gemma3", "mistral, mistral", "chatml, smollm2"})
  void writeWhatTheModelsOwnDo(String name, String file) throws IOException {
    String theirs = Files.readString(Path.of("src/test/resources/templates", file + ".jinja"));
    List<Message> chat =
        name.equals("chatml")
            ? List.of(new Message("system", "Be brief."), CHAT.get(0), CHAT.get(1), CHAT.get(2))
            : CHAT.subList(0, 3);
    for (boolean open : new boolean[] {false, true}) {
      assertThat(template(NamedTemplates.read(name)).render(chat, open))
          .isEqualTo(template(theirs).render(chat, open));
    }
  }

  @Test
  void writePhisTurnsAsThatDoes() throws IOException {
    ChatTemplate theirs =
        template(Files.readString(Path.of("src/test/resources/templates/phi3.jinja")));
    assertThat(theirs.render(CHAT.subList(0, 3), true))
        .isEqualTo(template(NamedTemplates.read("phi3")).render(CHAT.subList(0, 3), true));
  }

  /** What every one must do: hold all that is said, in order, and tell where answers end. */
  @ParameterizedTest
  @ValueSource(strings = {"chatml", "gemma", "llama3", "mistral", "phi3", "zephyr"})
  void holdWhatIsSaid(String name) {
    ChatTemplate template = template(NamedTemplates.read(name));
    List<Message> chat =
        List.of(new Message("system", "Be brief."), CHAT.get(0), CHAT.get(1), CHAT.get(2));
    assertThat(template.render(chat, true))
        .containsSubsequence("Be brief.", "What is 1 + 1?", "2", "And\n2 < 3 & so on?");
    assertThat(template.turnEnd()).startsWith("<");
  }

  @Test
  void nameTheNearest() {
    assertThatThrownBy(() -> NamedTemplates.read("lama3"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("Did you mean \"llama3\"?");
  }

  @Test
  void takeVariables() {
    ChatTemplate thinks = template("{% if enable_thinking is false %}no{% else %}yes{% endif %}");
    assertThat(thinks.render(CHAT, false)).isEqualTo("yes");
    assertThat(thinks.with(Map.of("enable_thinking", false)).render(CHAT, false)).isEqualTo("no");
    assertThat(thinks.reads()).containsExactly("enable_thinking");
  }

  /** What a template gives a value itself cannot be set: what it walks, sets or passes on. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{% for m in messages if m.role != skipped %}{{ loop.index0 ~ m.role }}{% endfor %};"
            + "messages skipped",
        "{% for k, v in d.items() %}{{ k }}{% else %}{{ v }}{% endfor %}; d v",
        "{% set date = date or today %}{{ date }}{% set u %}{{ w }}{% endset %}{{ u }}; date today w",
        "{% if a %}{% set b = 1 %}{{ b }}{% endif %}{{ b }}; a b",
        "{% if a %}{% set b = 1 %}{% elif c %}{% set b = 2 %}{% else %}{% set b = e %}{% endif %}"
            + "{{ b }}; a c e",
        "{% macro f(x, y=x) %}{{ x ~ y ~ z }}{% endmacro %}{{ f(q) ~ y }}; q y z",
        "{% set ns = namespace(n=0) %}{% set ns.n = k %}{{ ns.n ~ strftime_now('%Y') }}; k"
      })
  void readOnlyWhatTheyDoNotGive(String jinja, String names) {
    assertThat(template(jinja).reads()).containsExactlyInAnyOrder(names.split(" "));
  }
}
