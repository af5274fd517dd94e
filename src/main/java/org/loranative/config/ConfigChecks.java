package org.loranative.config;

import java.util.List;
import java.util.function.UnaryOperator;
import org.loranative.Decimals;
import org.loranative.UserException;

/** Values that make no sense together; what each may be by itself says the {@link Catalogue}. */
final class ConfigChecks {
  private final UnaryOperator<String> source;

  private ConfigChecks(UnaryOperator<String> source) {
    this.source = source;
  }

  /**
   * @param source names where a key was set
   */
  static void check(TrainConfig c, UnaryOperator<String> source) {
    ConfigChecks is = new ConfigChecks(source);
    if (c.minTimestep() >= c.maxTimestep()) {
      throw is.wrong("min_timestep", c.minTimestep(), "between 0 and " + (c.maxTimestep() - 1));
    }
    if (c.loraTargets().isEmpty()) {
      throw is.wrong("lora_targets", "[]", "a list of layer names, or all-linear");
    }
    for (LoraTarget target : c.loraTargets()) {
      String of = "lora_targets, " + target.target();
      if (target.target().isEmpty()) {
        throw is.wrong("lora_targets", "without a target", "a name, or {target: NAME, rank: N}");
      }
      target.rank().ifPresent(r -> is.as("lora_rank", of + ": rank", r));
      target.alpha().ifPresent(a -> is.as("lora_alpha", of + ": alpha", a));
      target.learningRate().ifPresent(l -> is.as("learning_rate", of + ": learning_rate", l));
    }
    for (String own : List.of("messages", "add_generation_prompt", "tools")) {
      if (c.templateKwargs().containsKey(own)) {
        throw is.wrong("template_kwargs", own, "without " + own + ", which the data say");
      }
    }
    if (c.loraDropout() > 0 && !c.loraMethod().equals("lora")) {
      throw is.wrong("lora_dropout", c.loraDropout(), "0 with lora_method " + c.loraMethod());
    }
    if (c.lokrFactor() != -1 && !c.loraMethod().equals("lokr")) {
      throw is.wrong("lokr_factor", c.lokrFactor(), "-1 with lora_method " + c.loraMethod());
    }
    if (List.of("loha", "lokr").contains(c.loraMethod())) {
      String with = " with lora_method " + c.loraMethod() + ", which has no A and B";
      if (!c.loraInit().equals("default")) {
        throw is.wrong("lora_init", c.loraInit(), "default" + with);
      }
      if (c.loraPlusRatio() != 1) {
        throw is.wrong("lora_plus_ratio", c.loraPlusRatio(), "1" + with);
      }
    }
    if (List.of("pissa", "olora").contains(c.loraInit())) {
      if (c.loraMethod().equals("dora")) {
        throw is.wrong("lora_init", c.loraInit(), "default or gaussian with lora_method dora");
      }
      if (!c.initAdapter().isEmpty()) {
        throw is.wrong(
            "lora_init", c.loraInit(), "default with init_adapter, which is a start too");
      }
    }
    if (c.exportFormat().equals("diffusers") && List.of("loha", "lokr").contains(c.loraMethod())) {
      throw is.wrong(
          "export_format",
          "diffusers",
          "kohya with lora_method " + c.loraMethod() + ", which diffusers does not read");
    }
    if (OptimizerDefaults.of(c.optimizer()).lrSchedule().equals("constant")) {
      is.withoutSchedule(c);
    }
    if (c.findsRate()) {
      is.withOneRate(c);
    }
    if (c.validationFraction() > 0 && !c.validationPath().isEmpty()) {
      throw new UserException(
          source.apply("validation_fraction")
              + " and validation_path are both set; keep one of them.");
    }
    if (!c.noiseReplay().isEmpty() && !c.regularizationPath().isEmpty()) {
      throw new UserException(
          source.apply("noise_replay")
              + " and regularization_path are both set, but replayed batches must be the same in"
              + " every epoch; keep one of them.");
    }
    if (c.unmaskedWeight() > 0 && !c.masked()) {
      throw is.wrong("unmasked_weight", c.unmaskedWeight(), "0 without masked: true");
    }
    if (c.sampleSteps() > 0 && c.samplePrompts().isEmpty()) {
      throw new UserException(
          source.apply("sample_steps") + " is set but sample_prompts is empty; list the prompts.");
    }
  }

  /** For an optimizer that finds the learning rate. */
  private void withOneRate(TrainConfig c) {
    String with =
        " with optimizer " + c.optimizer() + ", which finds one learning rate for all numbers";
    if (c.loraPlusRatio() != 1) {
      throw wrong("lora_plus_ratio", c.loraPlusRatio(), "1" + with);
    }
    for (LoraTarget t : c.loraTargets()) {
      if (t.learningRate().isPresent() && !t.learningRate().get().equals(c.learningRate())) {
        throw wrong(
            "lora_targets, " + t.target() + ": learning_rate",
            t.learningRate().get(),
            "left out" + with);
      }
    }
  }

  /** For an optimizer that averages over steps. */
  private void withoutSchedule(TrainConfig c) {
    if (c.emaDecay() > 0) {
      throw wrong(
          "ema_decay",
          c.emaDecay(),
          "0 with optimizer " + c.optimizer() + ", which averages over steps itself");
    }
    if (!c.lrSchedule().startsWith("constant")) {
      throw wrong(
          "lr_schedule",
          c.lrSchedule(),
          "constant or constant_with_warmup with optimizer "
              + c.optimizer()
              + ", which averages over steps instead of lowering the learning rate");
    }
    if (c.adamBeta1() < 0.01) {
      throw wrong(
          "adam_beta1",
          c.adamBeta1(),
          "at least 0.01 with optimizer " + c.optimizer() + ", which divides by it");
    }
  }

  /** What the catalogue allows for a key, whose values make sense for {@code name} too. */
  private void as(String key, String name, Object value) {
    Allowed allowed = Catalogue.get(key).allowed();
    if (!allowed.holds(value)) {
      throw wrong(name, value, allowed.expected());
    }
  }

  private UserException wrong(String key, Object value, String expected) {
    return wrong(source, key, value, expected);
  }

  /** A value that must be another. */
  static UserException wrong(
      UnaryOperator<String> source, String key, Object value, String expected) {
    String shown = value instanceof Number n ? Decimals.plain(n.doubleValue()) : value.toString();
    return new UserException(
        source.apply(key) + " is " + shown + ", but must be " + expected + ".");
  }
}
