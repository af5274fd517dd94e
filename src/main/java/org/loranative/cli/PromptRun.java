package org.loranative.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.loranative.StoppedException;
import org.loranative.io.AtomicFiles;
import org.loranative.track.Phase;
import org.loranative.train.StopSignal;
import org.loranative.train.llm.Respondent;

/** Answers to the prompts of a file, written to a file: a JSON object a line. */
final class PromptRun {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Respondent adapted;
  private final Optional<Respondent> base;
  private final Respondent.Manner manner;
  private final boolean raw;

  /**
   * @param base answers too, where it is there
   * @param raw continue prompts as they are, without the chat template
   */
  PromptRun(Respondent adapted, Optional<Respondent> base, Respondent.Manner manner, boolean raw) {
    this.adapted = adapted;
    this.base = base;
    this.manner = manner;
    this.raw = raw;
  }

  /** Answers them all; Ctrl-C ends between two, and keeps what there is. */
  void write(List<PromptFile.Prompt> prompts, Path out) throws IOException {
    StopSignal.onSignals();
    StringBuilder lines = new StringBuilder();
    Phase phase = new Phase("prompts answered", prompts.size());
    int done = 0;
    try {
      for (PromptFile.Prompt prompt : prompts) {
        phase.next();
        lines.append(JSON.writeValueAsString(answer(prompt))).append('\n');
        done++;
      }
      phase.end();
    } catch (StoppedException e) {
      keep(lines, out);
      throw new StoppedException(
          String.format("Stopped; %s holds the first %d of %d.", out, done, prompts.size()));
    }
    keep(lines, out);
  }

  private static void keep(StringBuilder lines, Path out) throws IOException {
    AtomicFiles.write(out, to -> to.write(lines.toString().getBytes(StandardCharsets.UTF_8)));
  }

  private ObjectNode answer(PromptFile.Prompt prompt) {
    ObjectNode line = JSON.createObjectNode();
    line.put("prompt", prompt.question());
    Respondent.Reply reply = reply(adapted, prompt);
    line.put("answer", reply.text());
    line.put("end", reply.end().name().toLowerCase(Locale.ROOT));
    base.ifPresent(b -> line.put("base_answer", reply(b, prompt).text()));
    return line;
  }

  private Respondent.Reply reply(Respondent respondent, PromptFile.Prompt prompt) {
    int[] ids =
        raw || !respondent.chats()
            ? respondent.prompt(prompt.question())
            : respondent.prompt(prompt.messages());
    return respondent.reply(ids, manner, text -> true);
  }
}
