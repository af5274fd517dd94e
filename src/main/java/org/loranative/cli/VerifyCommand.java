package org.loranative.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.loranative.UserException;
import org.loranative.data.TextFile;
import org.loranative.export.AdapterSource;
import org.loranative.export.ExportedAs;
import org.loranative.export.Merge;
import org.loranative.io.JsonFile;
import org.loranative.train.llm.Answers;
import org.loranative.train.verification.LanguageVerification;
import org.loranative.train.verification.OtherAnswer;
import org.loranative.train.verification.PictureVerification;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native verify}. */
@Command(
    name = "verify",
    description =
        "Compare a base with its adapters to what was made of them: a merged model, or the adapter"
            + " in another format. Exit code 1 when they differ.",
    mixinStandardHelpOptions = true)
final class VerifyCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Option(names = "--base", required = true, paramLabel = "PATH", description = "The base model.")
  private Path base;

  @Mixin private AdapterOptions adapters;

  @Option(
      names = "--against",
      required = true,
      paramLabel = "PATH",
      description =
          "A merged model; an exported adapter, which is put on the base; or another program's own"
              + " answer: a .txt, a .safetensors with ids and logits, a .png.")
  private Path against;

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "What to ask or draw; several may be given (default: questions, a picture).")
  private List<String> prompts = List.of();

  @Option(
      names = "--text",
      paramLabel = "FILE",
      description = "Of language models: text on which to compare (its first 1024 tokens).")
  private Optional<Path> text = Optional.empty();

  @Option(
      names = "--max-tokens",
      defaultValue = "32",
      description = "Most tokens of an answer (default ${DEFAULT-VALUE}).")
  private int maxTokens;

  @Option(
      names = "--tolerance",
      paramLabel = "X",
      description =
          "Beyond this they differ: of language models the mean KL in nats (default 0.01), of"
              + " pictures the mean difference of a colour, of 255 (default 1).")
  private Optional<Double> tolerance = Optional.empty();

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write what was found as JSON, too.")
  private Optional<Path> report = Optional.empty();

  @Option(
      names = "--steps",
      defaultValue = "10",
      description = "Steps that draw a picture (default 10).")
  private int steps;

  @Option(
      names = "--seed",
      defaultValue = "1",
      description = "Seed of a picture's noise (default 1).")
  private long seed;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      description = "Tokenizers of a diffusion model that are not with it.")
  private Optional<Path> tokenizer = Optional.empty();

  @Mixin private PartOptions parts;

  @Mixin private MachineOptions machine;

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(against)) {
      throw new UserException("--against: " + against + " does not exist.");
    }
    if (maxTokens < 1 || steps < 1 || !(tolerance.orElse(0.0) >= 0)) {
      throw new UserException(
          "--max-tokens and --steps must be at least 1, --tolerance at least 0.");
    }
    if (adapters.sources().isEmpty()) {
      throw new UserException("Name what was trained with at least one --adapter.");
    }
    report.ifPresent(f -> Merge.requireNew("--report", f));
    ObjectNode found = JSON.createObjectNode();
    found.put("base", base.toString());
    found.put("against", against.toString());
    boolean same = Bases.isDiffusion(base) ? pictures(found) : language(found);
    found.put("same", same);
    if (report.isPresent()) {
      JsonFile.write(report.get(), found);
    }
    return same ? 0 : 1;
  }

  private boolean language(ObjectNode found) {
    List<String> asked = prompts.isEmpty() ? LanguageVerification.QUESTIONS : prompts;
    LanguageVerification verification =
        new LanguageVerification(
            asked.stream().map(Answers.Question::of).toList(),
            text.map(f -> TextFile.read(f, TextFile.Encoding.UTF_8)).orElse(""),
            maxTokens);
    Supplier<Answers> trained = () -> new Answers(base, adapters.sources(), machine.machine());
    LanguageVerification.Result result =
        OtherAnswer.of(against)
            .map(other -> other.compare(verification, trained))
            .orElseGet(() -> verification.compare(trained, this::exported));
    double most = tolerance.orElse(0.01);
    boolean told = result.difference().positions() > 0;
    boolean same =
        told
            ? result.difference().kl() <= most
            : result.answers().stream().allMatch(LanguageVerification.Answered::isSame);
    found.set("difference", JSON.valueToTree(result.difference()));
    found.set("answers", JSON.valueToTree(result.answers()));
    found.put("tolerance", most);
    System.out.print(result.describe());
    System.out.println(
        (same ? "The same" : "Different")
            + (told
                ? String.format(
                    ": mean KL %.2g nats, tolerance %.2g.", result.difference().kl(), most)
                : "."));
    return same;
  }

  private Answers exported() {
    return ExportedAs.isAdapter(against)
        ? new Answers(base, List.of(new AdapterSource(against, 1)), machine.machine())
        : new Answers(against, List.of(), machine.machine());
  }

  private boolean pictures(ObjectNode found) {
    List<String> asked = prompts.isEmpty() ? PictureVerification.PROMPTS : prompts;
    PictureVerification verification =
        new PictureVerification(
            base, parts.options(tokenizer), asked, steps, seed, machine.machine());
    double most = tolerance.orElse(1.0);
    List<PictureVerification.Drawn> drawn =
        verification.compare(adapters.sources(), against, ExportedAs.isAdapter(against));
    double mean = drawn.stream().mapToDouble(PictureVerification.Drawn::mean).max().orElse(0);
    drawn.forEach(
        d ->
            System.out.printf(
                "\"%s\": colours differ by %.3g of 255 on average, by %.3g at most.%n",
                d.prompt(), d.mean(), d.max()));
    found.set("pictures", JSON.valueToTree(drawn));
    found.put("tolerance", most);
    boolean same = mean <= most;
    System.out.printf(
        "%s: mean difference %.2g of 255, tolerance %.2g.%n",
        same ? "The same" : "Different", mean, most);
    return same;
  }
}
