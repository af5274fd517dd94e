package org.loranative.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.loranative.text.ChatTemplate.Message;

/** A template with its variables written before it renders as one whose variables are set. */
class TemplateDefaultsTest {
  private static final String JINJA =
      "\n  {{ a }}|{{ b is none }}|{{ c }}|{{ d | tojson }}|{{ e }}|{{ messages[0].content }}";

  private static ChatTemplate template(String jinja) {
    return new ChatTemplate("test", jinja, Optional.empty(), Optional.empty());
  }

  private static String rendered(ChatTemplate template) {
    return template.render(List.of(new Message("user", "hi")), false);
  }

  @Test
  void rendersTheSame() {
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("a", "\"quoted\" \\ %} }} \n\tline \u0001 \uD83D\uDE00");
    values.put("b", null);
    values.put("c", 0.00001);
    values.put("d", Map.of("k", List.of(1, true, "x", Map.of())));
    values.put("e", -12);
    values.put("unread", 1);
    ChatTemplate set = template(JINJA).with(values);
    String whole = set.standalone();
    assertThat(whole).endsWith(JINJA).doesNotContain("unread");
    String expected = "\n  " + values.get("a") + "|True|1e-05|{\"k\": [1, true, \"x\", {}]}|-12|hi";
    assertThat(rendered(set)).isEqualTo(expected);
    assertThat(rendered(template(whole))).isEqualTo(expected);
  }

  @Test
  void isOnlyTheDefault() {
    String whole = template("{{ a }}").with(Map.of("a", 1)).standalone();
    assertThat(rendered(template(whole).with(Map.of("a", 2)))).isEqualTo("2");
    assertThat(template(whole).with(Map.of("a", 1)).standalone()).isEqualTo(whole);
    assertThat(template(JINJA).standalone()).isEqualTo(JINJA);
  }
}
