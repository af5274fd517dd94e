package org.loranative.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.text.jinja.Template;
import org.loranative.text.jinja.TemplateException;

/** A model's own Jinja template: a conversation to the text that the model was trained on. */
public final class ChatTemplate {
  private final Template template;
  private final Map<String, Object> variables = new HashMap<>();

  /** A turn; roles are OpenAI's: system, user, assistant, tool. */
  public record Message(String role, String content) {}

  public ChatTemplate(
      String source, String template, Optional<String> bosToken, Optional<String> eosToken) {
    try {
      this.template = new Template(template);
    } catch (TemplateException e) {
      throw new UserException(
          "The chat template of " + source + " cannot be read: " + e.getMessage() + ".", e);
    }
    variables.put("tools", null);
    variables.put("documents", null);
    bosToken.ifPresent(t -> variables.put("bos_token", t));
    eosToken.ifPresent(t -> variables.put("eos_token", t));
  }

  /**
   * @param generationPrompt end with what opens the assistant's turn
   * @throws TemplateException if the template refuses the conversation
   */
  public String render(List<Message> messages, boolean generationPrompt) {
    List<Object> list = new ArrayList<>();
    for (Message m : messages) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("role", m.role());
      map.put("content", m.content());
      list.add(map);
    }
    Map<String, Object> all = new HashMap<>(variables);
    all.put("messages", list);
    all.put("add_generation_prompt", generationPrompt);
    return template.render(all);
  }
}
