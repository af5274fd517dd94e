package org.loranative.config;

import java.nio.charset.Charset;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.loranative.UserException;

/** Values that have the right type but make no sense, each with what to write instead. */
final class ConfigChecks {
  private static final Pattern BYTES =
      Pattern.compile("([0-9]*\\.?[0-9]+)\\s*([kmgt]?)(i?)b?", Pattern.CASE_INSENSITIVE);

  private final UnaryOperator<String> source;

  private ConfigChecks(UnaryOperator<String> source) {
    this.source = source;
  }

  /**
   * @param source names where a key was set
   */
  static void check(TrainConfig c, UnaryOperator<String> source) {
    ConfigChecks is = new ConfigChecks(source);
    is.oneOf("task_type", c.taskType(), "llm", "sd", "text-generation", "text-to-image");
    is.oneOf(
        "data_format", c.dataFormat(), "auto", "messages", "sharegpt", "alpaca", "prompt", "text");
    try {
      c.templateDateTime();
    } catch (DateTimeParseException e) {
      throw is.wrong("template_date", c.templateDate(), "a date such as 2026-03-31");
    }
    is.oneOf("train_on", c.trainOn(), "auto", "response", "all");
    if (!DeviceName.isKnown(c.device())) {
      throw is.wrong("device", c.device(), DeviceName.CHOICES);
    }
    is.oneOf("compute_dtype", c.computeDtype(), "f32", "bf16", "f16");
    is.oneOf("quantize", c.quantize(), "none", "nf4", "keep");
    is.oneOf("optimizer", c.optimizer(), OptimizerDefaults.labels());
    is.oneOf(
        "lr_schedule",
        c.lrSchedule(),
        "constant",
        "constant_with_warmup",
        "linear",
        "cosine",
        "cosine_with_restarts",
        "polynomial");
    is.oneOf("prediction_type", c.predictionType(), "auto", "epsilon", "v_prediction");
    is.oneOf("loss", c.loss(), "mse", "huber");
    is.oneOf("export_format", c.exportFormat(), "kohya", "diffusers");
    is.between("resolution", c.resolution(), 0, 1 << 14);
    is.between("min_snr_gamma", c.minSnrGamma(), 0, 1e6);
    is.between("noise_offset", c.noiseOffset(), 0, 1);
    is.between("prior_loss_weight", c.priorLossWeight(), 0, 1e6);
    is.between("repeats", c.repeats(), 1, 10_000);
    is.between("keep_tokens", c.keepTokens(), 0, 1000);
    if (!c.background().matches("#[0-9a-fA-F]{6}")) {
      throw is.wrong("background", c.background(), "a colour such as \"#ffffff\"");
    }
    if (!isCharset(c.captionEncoding())) {
      throw is.wrong(
          "caption_encoding", c.captionEncoding(), "an encoding such as utf-8, gbk or shift_jis");
    }
    is.between("multires_noise_iterations", c.multiresNoiseIterations(), 0, 16);
    is.between("multires_noise_discount", c.multiresNoiseDiscount(), 0, 1);
    is.between("min_timestep", c.minTimestep(), 0, c.maxTimestep() - 1);
    is.between("max_timestep", c.maxTimestep(), 1, 1 << 16);
    is.positive("huber_c", c.huberC());
    is.between("caption_dropout", c.captionDropout(), 0, 1);
    if (!c.outputName().matches("[^/\\\\]+")) {
      throw is.wrong("output_name", c.outputName(), "a file name without its folder");
    }
    is.between("max_length", c.maxLength(), 2, 1 << 20);
    is.between("lora_rank", c.loraRank(), 1, 4096);
    is.positive("lora_alpha", c.loraAlpha());
    is.between("lora_dropout", c.loraDropout(), 0, 0.99);
    is.between("batch_size", c.batchSize(), 1, 1 << 16);
    is.between("gradient_accumulation", c.gradientAccumulation(), 1, 1 << 16);
    is.between("epochs", c.epochs(), 1, 1 << 20);
    is.between("max_steps", c.maxSteps(), 0, Integer.MAX_VALUE);
    is.positive("learning_rate", c.learningRate());
    is.between("warmup_steps", c.warmupSteps(), 0, Integer.MAX_VALUE);
    is.between("lr_cycles", c.lrCycles(), 1, 1 << 16);
    is.positive("lr_power", c.lrPower());
    is.between("weight_decay", c.weightDecay(), 0, 1);
    is.between("adam_beta1", c.adamBeta1(), 0, 0.999999);
    is.between("adam_beta2", c.adamBeta2(), 0, 0.999999999);
    is.positive("adam_epsilon", c.adamEpsilon());
    is.between("max_grad_norm", c.maxGradNorm(), 0, 1e9);
    is.between("validation_fraction", c.validationFraction(), 0, 0.9);
    is.between("threads", c.threads(), 0, 1024);
    is.between("save_steps", c.saveSteps(), 0, Integer.MAX_VALUE);
    is.between("keep_checkpoints", c.keepCheckpoints(), 1, Integer.MAX_VALUE);
    is.between("eval_steps", c.evalSteps(), 0, Integer.MAX_VALUE);
    is.between("early_stop", c.earlyStop(), 0, Integer.MAX_VALUE);
    is.oneOf("on_divergence", c.onDivergence(), TrainConfig.STOP, TrainConfig.ROLLBACK);
    is.between("max_rollbacks", c.maxRollbacks(), 0, 100);
    is.between("sample_steps", c.sampleSteps(), 0, Integer.MAX_VALUE);
    is.between("sample_max_tokens", c.sampleMaxTokens(), 1, 1 << 20);
    if (c.loraTargets().isEmpty()) {
      throw is.wrong("lora_targets", "[]", "a list of layer names, or all-linear");
    }
    for (LoraTarget target : c.loraTargets()) {
      String of = "lora_targets, " + target.target();
      if (target.target().isEmpty()) {
        throw is.wrong("lora_targets", "without a target", "a name, or {target: NAME, rank: N}");
      }
      target.rank().ifPresent(r -> is.between(of + ": rank", r, 1, 4096));
      target.alpha().ifPresent(a -> is.positive(of + ": alpha", a));
      target.learningRate().ifPresent(l -> is.positive(of + ": learning_rate", l));
    }
    if (!c.memoryBudget().isEmpty() && bytes(c.memoryBudget()).isEmpty()) {
      throw is.wrong("memory_budget", c.memoryBudget(), "a size such as 6GB or 500MiB");
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
    if (c.sampleSteps() > 0 && c.samplePrompts().isEmpty()) {
      throw new UserException(
          source.apply("sample_steps") + " is set but sample_prompts is empty; list the prompts.");
    }
  }

  /** What must be named for a run to start. */
  static void requireComplete(TrainConfig c) {
    if (c.baseModel().isEmpty()) {
      throw new UserException(
          "base_model is missing: name a Hugging Face folder or a .gguf file, for task_type sd a folder"
              + " in diffusers' layout (base_model: PATH).");
    }
    if (c.metadataPath().isEmpty() && c.trainDataDir().isEmpty()) {
      throw new UserException(
          "The training data is missing: set metadata_path to a .jsonl, .json, .csv or .txt file,"
              + " or train_data_dir to a folder of them.");
    }
    if (c.outputDir().isEmpty()) {
      throw new UserException("output_dir is missing: name the folder that takes the results.");
    }
  }

  /** A size in bytes: {@code 6GB} = 6·10⁹, {@code 6GiB} = 6·2³⁰. */
  static OptionalLong bytes(String text) {
    Matcher m = BYTES.matcher(text.strip());
    if (!m.matches()) {
      return OptionalLong.empty();
    }
    int power = m.group(2).isEmpty() ? 0 : "kmgt".indexOf(m.group(2).toLowerCase(Locale.ROOT)) + 1;
    double unit = Math.pow(m.group(3).isEmpty() ? 1000 : 1024, power);
    return OptionalLong.of((long) (Double.parseDouble(m.group(1)) * unit));
  }

  private static boolean isCharset(String name) {
    try {
      return Charset.isSupported(name);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private void oneOf(String key, String value, String... allowed) {
    if (!List.of(allowed).contains(value)) {
      throw wrong(key, value, "one of " + String.join(", ", allowed));
    }
  }

  private void between(String key, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
      throw wrong(key, number(value), "between " + number(low) + " and " + number(high));
    }
  }

  private void positive(String key, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw wrong(key, number(value), "greater than 0");
    }
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? String.valueOf((long) value)
        : String.valueOf(value);
  }

  private UserException wrong(String key, String value, String expected) {
    return new UserException(
        source.apply(key) + " is " + value + ", but must be " + expected + ".");
  }
}
