package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.loranative.UserException;
import org.loranative.export.AdapterSource;
import org.loranative.export.Merge;
import org.loranative.train.llm.Answers;
import org.loranative.train.llm.Respondent;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native generate}. */
@Command(
    name = "generate",
    description =
        "Answer a prompt, a file of prompts or, where neither is named, what is typed, with a base"
            + " model and, if given, adapters.",
    mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
  @Mixin private AskedModel model;

  @Option(names = "--prompt", paramLabel = "TEXT", description = "The question.")
  private Optional<String> prompt = Optional.empty();

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description =
          "Questions: a .txt with one in each line, or a .jsonl whose records have prompt or"
              + " messages.")
  private Optional<Path> prompts = Optional.empty();

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "With --prompts: the .jsonl to write; it must not exist.")
  private Optional<Path> out = Optional.empty();

  @Option(
      names = "--compare",
      description = "Let the base answer alone, too, beside the model with its adapters.")
  private boolean compare;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "A system prompt, to be put before it by the chat template.")
  private Optional<String> system = Optional.empty();

  @Option(
      names = "--raw",
      description =
          "Continue the text as it is, without the chat template: for adapters that were trained on"
              + " data of the formats prompt or text.")
  private boolean raw;

  @Mixin private ContextOption context;

  @Mixin private AnswerOptions manner;

  @Override
  public Integer call() throws IOException {
    Respondent.Manner how = manner.manner();
    List<AdapterSource> sources = model.sources();
    check(sources);
    Optional<List<PromptFile.Prompt>> file = prompts.map(f -> PromptFile.read(f, system));
    try (Answers answers = model.open()) {
      if (prompt.isPresent()) {
        answer(answers, how);
        return 0;
      }
      try (Respondents models = new Respondents(answers, context.tokens(answers))) {
        if (file.isPresent()) {
          Optional<Respondent> second = compare ? Optional.of(models.base()) : Optional.empty();
          new PromptRun(models.adapted(), second, how, raw).write(file.get(), out.orElseThrow());
          System.out.println(out.get());
        } else {
          converse(models, how, !sources.isEmpty());
        }
      }
      return 0;
    }
  }

  private void converse(Respondents models, Respondent.Manner how, boolean adapted)
      throws IOException {
    Optional<Supplier<Respondent>> second = adapted ? Optional.of(models::base) : Optional.empty();
    new Keyboard()
        .converse(
            interrupted ->
                new Chat(models.adapted(), second, how, system, compare, System.out, interrupted));
  }

  private void check(List<AdapterSource> sources) {
    if (prompt.isPresent() && prompts.isPresent()) {
      throw new UserException("Give --prompt or --prompts, not both.");
    }
    if (prompts.isPresent() != out.isPresent()) {
      throw new UserException("--prompts and --out go together: questions, and where answers go.");
    }
    out.ifPresent(f -> Merge.requireNew("--out", f));
    if (raw && system.isPresent()) {
      throw new UserException("--system needs the chat template, which --raw leaves out.");
    }
    if (raw && prompt.isEmpty() && prompts.isEmpty()) {
      throw new UserException("--raw continues a text; name it with --prompt or --prompts.");
    }
    if (compare && sources.isEmpty()) {
      throw new UserException("--compare needs at least one --adapter to compare with the base.");
    }
  }

  private void answer(Answers answers, Respondent.Manner how) {
    int[] ids = answers.prompt(new Answers.Question(prompt.orElseThrow(), system, raw));
    int tokens = context.isGiven() ? context.tokens(answers) : ids.length + how.maxTokens();
    try (Respondents models = new Respondents(answers, tokens)) {
      if (compare) {
        answer("[base] ", models.base(), ids, how);
      }
      answer(compare ? "[adapter] " : "", models.adapted(), ids, how);
    }
  }

  private static void answer(
      String title, Respondent respondent, int[] ids, Respondent.Manner how) {
    System.out.print(title);
    respondent.reply(
        ids,
        how,
        piece -> {
          System.out.print(piece);
          System.out.flush();
          return true;
        });
    System.out.println();
  }
}
