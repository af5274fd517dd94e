package org.loranative.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.loranative.UserException;
import org.loranative.data.Records;
import org.loranative.data.Source;
import org.loranative.data.TextFile;
import org.loranative.data.llm.Formats.Conversation;
import org.loranative.text.ChatTemplate.Message;

/** Prompts of a file: lines of a .txt, or records of what else is read as training data. */
final class PromptFile {
  private PromptFile() {}

  /**
   * One prompt.
   *
   * @param messages the conversation up to the question, its system prompt included
   */
  record Prompt(List<Message> messages) {
    Prompt {
      messages = List.copyOf(messages);
    }

    /** The last question. */
    String question() {
      return messages.get(messages.size() - 1).content();
    }
  }

  /**
   * Reads them.
   *
   * @param system prompt of those that have none of their own
   * @throws UserException if there is none, or a record is none
   */
  static List<Prompt> read(Path file, Optional<String> system) {
    List<Prompt> prompts =
        file.getFileName().toString().endsWith(".txt") ? lines(file) : records(file);
    if (prompts.isEmpty()) {
      throw new UserException(file + " holds no prompt.");
    }
    return prompts.stream().map(p -> with(p, system)).toList();
  }

  private static List<Prompt> lines(Path file) {
    return TextFile.read(file, TextFile.Encoding.UTF_8)
        .lines()
        .filter(line -> !line.isBlank())
        .map(line -> new Prompt(List.of(new Message("user", line.strip()))))
        .toList();
  }

  private static List<Prompt> records(Path file) {
    Records records = Records.read(file);
    if (!records.skipped().isEmpty()) {
      throw new UserException(records.skipped().get(0).toString());
    }
    return records.records().stream().map(r -> prompt(r.source(), r.fields())).toList();
  }

  private static Prompt prompt(Source source, JsonNode fields) {
    List<Message> messages = new ArrayList<>();
    if (fields.path("system").isTextual()) {
      messages.add(new Message("system", fields.path("system").asText()));
    }
    if (fields.path("prompt").isTextual()) {
      messages.add(new Message("user", fields.path("prompt").asText()));
    }
    for (JsonNode m : fields.path("messages")) {
      messages.add(new Message(m.path("role").asText(), m.path("content").asText()));
    }
    // What a training record answers is asked again.
    while (!messages.isEmpty() && last(messages).role().equals("assistant")) {
      messages.remove(messages.size() - 1);
    }
    if (messages.isEmpty() || !last(messages).role().equals("user")) {
      throw new UserException(
          source
              + ": no prompt; a record needs the field prompt (and may have system), or messages"
              + " that end with a user's.");
    }
    return new Prompt(messages);
  }

  private static Message last(List<Message> messages) {
    return messages.get(messages.size() - 1);
  }

  private static Prompt with(Prompt prompt, Optional<String> system) {
    Conversation asked = new Conversation(prompt.messages(), List.of(), Set.of());
    return new Prompt(system.map(asked::withSystem).orElse(asked).messages());
  }
}
