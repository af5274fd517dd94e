package org.loranative.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.model.llm.Generator;
import org.loranative.train.llm.Answers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native generate}. */
@Command(
    name = "generate",
    description = "Answer a prompt with a base model and, if given, adapters.",
    mixinStandardHelpOptions = true)
final class GenerateCommand implements Callable<Integer> {
  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description = "Hugging Face folder or .gguf file.")
  private Path base;

  @Mixin private AdapterOptions adapters;

  @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "The question.")
  private String prompt;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "A system prompt, to be put before it by the chat template.")
  private Optional<String> system = Optional.empty();

  @Option(
      names = "--max-tokens",
      defaultValue = "256",
      description = "Most new tokens (default ${DEFAULT-VALUE}).")
  private int maxTokens;

  @Option(
      names = "--temperature",
      defaultValue = "0",
      description = "0 takes the likeliest token (default); higher is freer.")
  private double temperature;

  @Option(
      names = "--top-p",
      defaultValue = "1",
      description = "Draw only from the likeliest tokens that make up this share (default 1).")
  private double topP;

  @Option(names = "--seed", defaultValue = "42", description = "Of the draw (default 42).")
  private long seed;

  @Option(
      names = "--raw",
      description =
          "Continue the text as it is, without the chat template: for adapters that were trained on"
              + " data of the formats prompt or text.")
  private boolean raw;

  @Mixin private MachineOptions machine;

  @Override
  public Integer call() {
    if (maxTokens < 1 || temperature < 0 || topP <= 0 || topP > 1) {
      throw new UserException(
          "--max-tokens must be at least 1, --temperature at least 0, --top-p above 0 and at most"
              + " 1.");
    }
    if (raw && system.isPresent()) {
      throw new UserException("--system needs the chat template, which --raw leaves out.");
    }
    try (Answers answers = new Answers(base, adapters.sources(), machine.machine())) {
      answers.answer(
          new Answers.Question(prompt, system, raw),
          maxTokens,
          new Generator.Sampling(temperature, topP, seed),
          text -> {
            System.out.print(text);
            System.out.flush();
          });
      System.out.println();
      return 0;
    }
  }
}
