package org.loranative.train;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.loranative.UserException;
import org.loranative.config.LoraTarget;
import org.loranative.config.TrainConfig;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.Adapters;
import org.loranative.lora.BlockRanges;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;

/** What {@code lora_targets} and {@code blocks} ask for. */
public final class LoraSpecs {
  private LoraSpecs() {}

  /**
   * Adapters of the layers that {@code lora_targets} names, of those in {@code blocks}.
   *
   * @param layers that could be adapted
   * @param expand the layers, of some, that a name stands for
   */
  public static Adapters adapters(
      TrainConfig config,
      List<Adapters.Target> layers,
      LayerBlocks blocks,
      BiFunction<String, List<Adapters.Target>, List<String>> expand) {
    return adapters(config, layers, List.of(), blocks, expand);
  }

  /**
   * Likewise, and layers that are trained as a whole.
   *
   * @param whole these
   */
  public static Adapters adapters(
      TrainConfig config,
      List<Adapters.Target> layers,
      List<Adapters.Target> whole,
      LayerBlocks blocks,
      BiFunction<String, List<Adapters.Target>, List<String>> expand) {
    BlockRanges ranges = new BlockRanges(config.blocks());
    List<Adapters.Target> chosen = ranges.among(layers, blocks);
    if (!config.blocks().isEmpty()) {
      for (LoraTarget t : config.loraTargets()) {
        requireSome(t.target(), expand.apply(t.target(), chosen), chosen, config.blocks());
      }
    }
    return new Adapters(of(config, name -> expand.apply(name, chosen)), chosen, whole);
  }

  private static void requireSome(
      String target, List<String> names, List<Adapters.Target> chosen, String blocks) {
    LoraSpec spec = new LoraSpec(1, 1, 0, names, false);
    if (chosen.stream().noneMatch(spec::adapts)) {
      throw new UserException(
          String.format(
              "lora_targets: %s names no layer in blocks %s. Take it out, or choose other blocks.",
              target, blocks));
    }
  }

  /** Where several entries name a layer, the last counts. */
  private static List<LoraSpec> of(TrainConfig config, Function<String, List<String>> expand) {
    List<LoraSpec> specs = new ArrayList<>();
    for (LoraTarget t : config.loraTargets()) {
      List<String> layers = new ArrayList<>(expand.apply(t.target()));
      LoraSpec spec = spec(config, t, layers);
      int last = specs.size() - 1;
      if (last >= 0) {
        List<String> before = specs.get(last).targets();
        if (specs.get(last).equals(spec(config, t, before))) {
          layers.addAll(0, before);
          specs.set(last, spec(config, t, layers));
          continue;
        }
      }
      specs.add(spec);
    }
    return specs;
  }

  private static LoraSpec spec(TrainConfig config, LoraTarget t, List<String> layers) {
    return new LoraSpec(
        AdapterMethods.named(
                config.loraMethod(),
                new AdapterMethod.Choices(
                    config.lokrFactor(),
                    LoraInit.named(config.loraInit()).orElseThrow(),
                    config.loraPlusRatio()))
            .orElseThrow(),
        t.rank().orElse(config.loraRank()),
        t.alpha().orElse(t.rank().map(r -> (double) r).orElse(config.loraAlpha())),
        config.loraDropout(),
        layers,
        config.useRslora(),
        t.learningRate().orElse(config.learningRate()) / config.learningRate());
  }
}
