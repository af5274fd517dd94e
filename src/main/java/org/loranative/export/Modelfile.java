package org.loranative.export;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.model.llm.LlmBase;
import org.loranative.text.AdapterTemplate;
import org.loranative.text.ChatTemplate;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.text.Tokenizer;
import org.loranative.text.jinja.TemplateException;

/**
 * An ollama Modelfile. Its template is Go's; it is made of what the model's template writes around
 * a system prompt, a question and an answer.
 */
public final class Modelfile {
  private static final String SYSTEM = "\uE0A0system\uE0A1";
  private static final String PROMPT = "\uE0A0prompt\uE0A1";
  private static final String ANSWER = "\uE0A0answer\uE0A1";

  private Modelfile() {}

  /** Refuses to write one over a file, or over the model that it is of. */
  public static void requireNew(Path file, Path out) {
    Merge.requireNew("--modelfile", file);
    if (file.equals(out)) {
      throw new UserException("--modelfile and --out both name " + out + "; name two files.");
    }
  }

  /**
   * Its text.
   *
   * @param chosen the chat template where it is not the base's own
   * @param adapter a GGUF file, absent where it is merged into the base
   */
  public static String of(LlmBase base, Optional<AdapterTemplate> chosen, Optional<Path> adapter) {
    List<String> lines = new ArrayList<>();
    lines.add("FROM " + base.path().toAbsolutePath());
    adapter.ifPresent(a -> lines.add("ADAPTER " + a.toAbsolutePath()));
    try (Tokenizer tokenizer = base.tokenizer()) {
      chosen.ifPresent(t -> t.give(tokenizer));
      if (tokenizer.chatTemplate().isPresent()) {
        ChatTemplate template = tokenizer.chatTemplate().get();
        lines.add("TEMPLATE \"\"\"" + template(template, bos(tokenizer)) + "\"\"\"");
        String end = template.turnEnd();
        if (!end.isEmpty()) {
          lines.add("PARAMETER stop \"" + end + "\"");
        }
      } else {
        lines.add("TEMPLATE \"\"\"{{ .Prompt }}\"\"\"");
      }
    }
    return String.join("\n", lines) + "\n";
  }

  private static String bos(Tokenizer tokenizer) {
    int[] ofText = tokenizer.encode("a", true).ids();
    boolean added = tokenizer.bos().isPresent() && ofText[0] == tokenizer.bos().getAsInt();
    return added ? tokenizer.text(ofText[0]) : "";
  }

  /**
   * Go's template of one turn.
   *
   * @param bos what the tokenizer puts before every text; "" for nothing
   */
  static String template(ChatTemplate template, String bos) {
    Message user = new Message("user", PROMPT);
    Message assistant = new Message("assistant", ANSWER);
    String plain = rendered(template, List.of(user, assistant), bos);
    String open = rendered(template, List.of(user), bos, true);
    String before = plain.substring(0, at(plain, PROMPT));
    String after = plain.substring(at(plain, ANSWER) + ANSWER.length());
    String answer = open.substring(at(open, PROMPT) + PROMPT.length());
    String turn = "{{ .Prompt }}" + answer + "{{ .Response }}" + after;
    try {
      String with =
          rendered(template, List.of(new Message("system", SYSTEM), user, assistant), bos);
      String head = with.substring(0, at(with, SYSTEM));
      String rest = with.substring(at(with, SYSTEM) + SYSTEM.length(), at(with, PROMPT));
      return "{{ if .System }}"
          + head
          + "{{ .System }}"
          + rest
          + "{{ else }}"
          + before
          + "{{ end }}"
          + turn;
    } catch (TemplateException | UserException e) {
      return before + turn; // the model knows no system prompt
    }
  }

  private static String rendered(ChatTemplate template, List<Message> messages, String bos) {
    return rendered(template, messages, bos, false);
  }

  /** Without what begins a text, which ollama puts there itself. */
  private static String rendered(
      ChatTemplate template, List<Message> messages, String bos, boolean open) {
    String text = template.render(messages, open);
    return !bos.isEmpty() && text.startsWith(bos) ? text.substring(bos.length()) : text;
  }

  private static int at(String text, String mark) {
    int at = text.indexOf(mark);
    if (at < 0) {
      throw new UserException(
          "The model's chat template does not write what it is given as it is, so no Modelfile can"
              + " be made of it; export without --modelfile.");
    }
    return at;
  }
}
