package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.export.AdapterBase;
import org.loranative.export.Resized;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.RankRule;
import org.loranative.train.StopSignal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native resize}. */
@Command(
    name = "resize",
    description =
        "Write an adapter with other ranks: of each layer the largest singular values. DoRA, LoHa"
            + " and LoKr become LoRA.",
    mixinStandardHelpOptions = true)
final class ResizeCommand implements Callable<Integer> {
  @Parameters(paramLabel = "ADAPTER", description = "An adapter of any format that is read.")
  private Path adapter;

  @Option(
      names = "--base",
      required = true,
      paramLabel = "PATH",
      description = "The base model, whose layers give the names.")
  private Path base;

  @Mixin private RankOptions ranks;

  @Mixin private AdapterOutput out;

  @Mixin private PartOptions parts;

  @Override
  public Integer call() throws IOException {
    RankRule rule = ranks.required();
    AdapterBase model = Bases.open(base, parts, List.of(adapter));
    out.check(model);
    Map<String, AdaptedLayer> layers = model.read(adapter);
    int largest = layers.values().stream().mapToInt(AdaptedLayer::rank).max().orElse(1);
    StopSignal.onSignals();
    int most = ranks.most().orElse(Math.max(largest, RankOptions.MOST));
    Resized resized = AdapterOutput.before(() -> Resized.of(model, layers, rule, most));
    System.out.print(resized.describe());
    out.write(model, Optional.of(adapter), resized.layers());
    return 0;
  }
}
