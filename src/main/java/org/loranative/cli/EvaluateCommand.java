package org.loranative.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.loranative.StoppedException;
import org.loranative.UserException;
import org.loranative.data.Records;
import org.loranative.export.AdapterSource;
import org.loranative.export.Merge;
import org.loranative.io.JsonFile;
import org.loranative.train.StopSignal;
import org.loranative.train.evaluation.Choice;
import org.loranative.train.evaluation.Evaluation;
import org.loranative.train.evaluation.ExactMatch;
import org.loranative.train.evaluation.HeldOut;
import org.loranative.train.evaluation.Measure;
import org.loranative.train.evaluation.Perplexity;
import org.loranative.train.evaluation.Result;
import org.loranative.train.llm.Answers;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lora-native evaluate}. */
@Command(
    name = "evaluate",
    description =
        "Say how good an adapter is against its base on held-out data, record by record, with 95 %%"
            + " intervals. Without --adapter the base alone is measured. For language models.",
    mixinStandardHelpOptions = true)
final class EvaluateCommand implements Callable<Integer> {
  private static final ObjectMapper JSON =
      new ObjectMapper().setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

  /** Options that only these measures read. */
  private static final Map<String, Set<String>> READ_BY =
      Map.of(
          "--format", Set.of(Perplexity.NAME, ExactMatch.NAME),
          "--train-on", Set.of(Perplexity.NAME),
          "--max-tokens", Set.of(ExactMatch.NAME),
          "--ignore-case", Set.of(ExactMatch.NAME),
          "--raw", Set.of(Choice.NAME));

  private static final List<String> FORMATS =
      List.of("auto", "messages", "sharegpt", "alpaca", "prompt", "text");
  private static final List<String> TRAIN_ON = List.of("auto", "response", "all");

  @Mixin private AskedModel model;

  @Option(
      names = "--data",
      required = true,
      paramLabel = "FILE",
      description =
          "Records that were not trained on, in any of training's formats; for the measure choice"
              + " {\"question\": …, \"choices\": [\"…\", \"…\"], \"answer\": 0} on each line.")
  private Path data;

  @Option(
      names = "--measure",
      paramLabel = "NAME",
      split = ",",
      description =
          "perplexity (default): how well the answers' tokens are foretold; exact_match: whether"
              + " the likeliest answer is the record's; choice: whether the likeliest of the"
              + " choices is. Several may be given.")
  private List<String> names = List.of(Perplexity.NAME);

  @Option(names = "--limit", paramLabel = "N", description = "Measure the first N records only.")
  private Optional<Integer> limit = Optional.empty();

  @Option(
      names = "--max-length",
      paramLabel = "N",
      defaultValue = "1024",
      description =
          "Most tokens of a record, as in training (default ${DEFAULT-VALUE}): what is longer is"
              + " cut (perplexity) or left out.")
  private int maxLength;

  @Option(
      names = "--format",
      defaultValue = "auto",
      description = "How records are written, training's data_format (default: by their fields).")
  private String format;

  @Option(
      names = "--train-on",
      defaultValue = "auto",
      description = "Tokens that perplexity counts, training's train_on (default auto).")
  private String trainOn;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "A system prompt for conversations that have none.")
  private Optional<String> system = Optional.empty();

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "64",
      description = "Most tokens of an answer, for exact_match (default ${DEFAULT-VALUE}).")
  private int maxTokens;

  @Option(names = "--ignore-case", description = "Upper and lower case are the same (exact_match).")
  private boolean ignoreCase;

  @Option(
      names = "--raw",
      description = "Put choices behind the question without the chat template.")
  private boolean raw;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Write all numbers as JSON too, those of each record among them.")
  private Optional<Path> report = Optional.empty();

  @Spec private CommandSpec spec;

  private final Map<String, Function<HeldOut, Measure>> known =
      Map.of(
          Perplexity.NAME, data -> new Perplexity(data, trainOn),
          ExactMatch.NAME, data -> new ExactMatch(data, maxTokens, ignoreCase),
          Choice.NAME, data -> new Choice(data, raw));

  @Override
  public Integer call() throws IOException {
    Set<String> chosen = new LinkedHashSet<>(names);
    check(chosen);
    model.machine(); // refused before anything is read
    List<AdapterSource> sources = model.sources();
    Records all = Records.read(data);
    HeldOut heldOut =
        new HeldOut(data, limit.map(all::first).orElse(all), format, system, maxLength);
    List<Measure> measures = chosen.stream().map(n -> known.get(n).apply(heldOut)).toList();
    StopSignal.onSignals();
    List<Result> results;
    try (Answers answers = model.open()) {
      results = new Evaluation(measures).run(answers, !sources.isEmpty());
    } catch (StoppedException e) {
      throw new StoppedException("Stopped before all was measured; nothing was written.");
    }
    for (int i = 0; i < results.size(); i++) {
      System.out.print((i == 0 ? "" : System.lineSeparator()) + results.get(i).describe());
    }
    if (report.isPresent()) {
      JsonFile.write(report.get(), found(sources, results));
      System.out.println("Report: " + report.get());
    }
    return 0;
  }

  private void check(Set<String> chosen) {
    for (String name : chosen) {
      if (!known.containsKey(name)) {
        throw new UserException(
            "--measure is " + name + ", but must be perplexity, exact_match or choice.");
      }
    }
    READ_BY.forEach(
        (option, measures) -> {
          if (spec.commandLine().getParseResult().hasMatchedOption(option)
              && chosen.stream().noneMatch(measures::contains)) {
            throw new UserException(
                option
                    + " is for --measure "
                    + String.join(" or ", measures.stream().sorted().toList())
                    + ", which is not asked for.");
          }
        });
    requireAtLeast("--max-length", maxLength, 2);
    requireAtLeast("--max-tokens", maxTokens, 1);
    requireAtLeast("--limit", limit.orElse(1), 1);
    requireOneOf("--format", format, FORMATS);
    requireOneOf("--train-on", trainOn, TRAIN_ON);
    if (raw && system.isPresent()) {
      throw new UserException("--system needs the chat template, which --raw leaves out.");
    }
    if (Bases.isDiffusion(model.base())) {
      throw new UserException(
          "--base: " + model.base() + " is a diffusion model; evaluate measures language models.");
    }
    report.ifPresent(f -> Merge.requireNew("--report", f));
  }

  private static void requireOneOf(String option, String value, List<String> values) {
    if (!values.contains(value)) {
      throw new UserException(
          option + " is " + value + ", but must be one of " + String.join(", ", values) + ".");
    }
  }

  private ObjectNode found(List<AdapterSource> sources, List<Result> results) {
    ObjectNode found = JSON.createObjectNode();
    found.put("base", model.base().toString());
    found.set("adapters", JSON.valueToTree(sources));
    found.put("data", data.toString());
    found.set("measures", JSON.valueToTree(results.stream().map(Result::told).toList()));
    return found;
  }

  private static void requireAtLeast(String option, int value, int least) {
    if (value < least) {
      throw new UserException(
          String.format("%s is %d, but must be at least %d.", option, value, least));
    }
  }
}
