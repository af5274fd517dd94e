package org.loranative.train;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.loranative.config.LoraTarget;
import org.loranative.config.TrainConfig;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;

/** What {@code lora_targets} asks for. */
public final class LoraSpecs {
  private LoraSpecs() {}

  /**
   * Where several entries name a layer, the last counts.
   *
   * @param expand the layers that a name stands for
   */
  public static List<LoraSpec> of(TrainConfig config, Function<String, List<String>> expand) {
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
