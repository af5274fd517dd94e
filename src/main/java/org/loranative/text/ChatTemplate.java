package org.loranative.text;

import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.text.jinja.Rendering;
import org.loranative.text.jinja.Rendering.Span;
import org.loranative.text.jinja.Template;
import org.loranative.text.jinja.TemplateException;

/** A model's own Jinja template: a conversation to the text that the model was trained on. */
public final class ChatTemplate {
  /** Stands for an answer where only the template's own text matters. */
  private static final String ANSWER = "\uE0A0answer\uE0A1";

  private final String jinja;
  private final Template template;
  private final Map<String, Object> variables;
  private final Map<String, Object> chosen;
  private final Optional<LocalDateTime> date;

  /**
   * A turn.
   *
   * @param fields all that a template may ask for, under OpenAI's names: role (system, user,
   *     assistant, tool), content, tool_calls, reasoning_content …; a value may be null
   */
  public record Message(Map<String, Object> fields) {
    public Message {
      fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    public Message(String role, String content) {
      this(Map.of("role", role, "content", content));
    }

    public String role() {
      return text("role");
    }

    /** The content; "" where there is none. */
    public String content() {
      return text("content");
    }

    /** A field's text; "" where there is none. */
    public String text(String field) {
      return fields.get(field) instanceof String s ? s : "";
    }

    /** The same but for one field. */
    public Message with(String field, Object value) {
      Map<String, Object> changed = new LinkedHashMap<>(fields);
      changed.put(field, value);
      return new Message(changed);
    }
  }

  public ChatTemplate(
      String source, String template, Optional<String> bosToken, Optional<String> eosToken) {
    try {
      this.template = new Template(template);
    } catch (TemplateException e) {
      throw new UserException(
          "The chat template of " + source + " cannot be read: " + e.getMessage() + ".", e);
    }
    jinja = template;
    variables = new HashMap<>();
    variables.put("tools", null);
    variables.put("documents", null);
    bosToken.ifPresent(t -> variables.put("bos_token", t));
    eosToken.ifPresent(t -> variables.put("eos_token", t));
    chosen = Map.of();
    date = Optional.empty();
  }

  private ChatTemplate(
      ChatTemplate other, Map<String, Object> chosen, Optional<LocalDateTime> date) {
    this.jinja = other.jinja;
    this.template = other.template;
    this.variables = other.variables;
    this.chosen = chosen;
    this.date = date;
  }

  /** The template itself, Jinja. */
  public String source() {
    return jinja;
  }

  /** The template with the variables that were set, for programs that set none. */
  public String standalone() {
    return TemplateDefaults.before(jinja, chosen, reads());
  }

  /** The same template on a day of its own: some print the date. */
  public ChatTemplate at(LocalDateTime date) {
    return new ChatTemplate(this, chosen, Optional.of(date));
  }

  /** The same template with some variables set, such as {@code enable_thinking}. */
  public ChatTemplate with(Map<String, Object> more) {
    Map<String, Object> all = new HashMap<>(chosen);
    all.putAll(more);
    return new ChatTemplate(this, all, date);
  }

  /** Names whose values it may ask for. */
  public Set<String> reads() {
    return template.reads();
  }

  /**
   * @param tools as JSON describes them; empty for none
   * @param generationPrompt end with what opens the assistant's turn
   * @return the text, with the part of each message
   * @throws TemplateException if the template refuses the conversation
   */
  public Rendering render(List<Message> messages, List<Object> tools, boolean generationPrompt) {
    List<Object> list = new ArrayList<>();
    messages.forEach(m -> list.add(m.fields()));
    Map<String, Object> all = new HashMap<>(variables);
    all.putAll(chosen);
    all.put("messages", list);
    if (!tools.isEmpty()) {
      all.put("tools", tools);
    }
    all.put("add_generation_prompt", generationPrompt);
    return template.render(all, "messages", date.orElseGet(LocalDateTime::now));
  }

  /** Likewise without tools, the text alone. */
  public String render(List<Message> messages, boolean generationPrompt) {
    return render(messages, List.of(), generationPrompt).text();
  }

  /** What the template puts after an answer, white space aside; "" if it cannot be told. */
  public String turnEnd() {
    try {
      Rendering r =
          render(
              List.of(new Message("user", "question"), new Message("assistant", ANSWER)),
              List.of(),
              false);
      Span last = Span.around(r.items().get(1)).orElse(new Span(0, r.text().length()));
      int answer = r.text().indexOf(ANSWER, last.from());
      return answer < 0 || answer + ANSWER.length() > last.to()
          ? ""
          : r.text().substring(answer + ANSWER.length(), last.to()).strip();
    } catch (TemplateException e) {
      return "";
    }
  }
}
