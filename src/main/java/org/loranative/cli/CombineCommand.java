package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.export.AdapterBase;
import org.loranative.export.AdapterSource;
import org.loranative.export.Resized;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.RankRule;
import org.loranative.train.StopSignal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native combine}. */
@Command(
    name = "combine",
    description =
        "Write several adapters as one: exactly, with the sum of their ranks, or with fewer by"
            + " singular values.",
    mixinStandardHelpOptions = true)
final class CombineCommand implements Callable<Integer> {
  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description = "The base model, whose layers give the names.")
  private Path base;

  @Mixin private AdapterOptions adapters;

  @Mixin private RankOptions ranks;

  @Mixin private AdapterOutput out;

  @Mixin private PartOptions parts;

  @Override
  public Integer call() throws IOException {
    List<AdapterSource> sources = adapters.sources();
    if (sources.isEmpty()) {
      throw new UserException("Nothing to combine; name at least one --adapter.");
    }
    Optional<RankRule> rule = ranks.rule();
    AdapterBase model = Bases.open(base, parts, sources.stream().map(AdapterSource::path).toList());
    out.check(model);
    Map<String, AdaptedLayer> exact = AdapterSource.combined(sources, model);
    StopSignal.onSignals();
    Map<String, AdaptedLayer> layers = exact;
    if (rule.isPresent()) {
      int sum = exact.values().stream().mapToInt(AdaptedLayer::rank).max().orElse(1);
      int most = ranks.most().orElse(sum);
      Resized resized = AdapterOutput.before(() -> Resized.of(model, exact, rule.get(), most));
      System.out.print(resized.describe());
      layers = resized.layers();
    }
    // No run made it, so no metadata fit; of the chat template the first one's is taken.
    Optional<Path> source =
        model instanceof AdapterBase.Language
            ? Optional.of(sources.get(0).path())
            : Optional.empty();
    out.write(model, source, layers);
    return 0;
  }
}
