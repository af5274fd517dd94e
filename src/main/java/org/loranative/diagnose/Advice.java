package org.loranative.diagnose;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/** Settings to change, by what the run has set and by what is usual. */
final class Advice {
  /** A rate so many times the usual one is not halved but set. */
  private static final double FAR = 8;

  private final RunCurves run;

  Advice(RunCurves run) {
    this.run = run;
  }

  /** {@code 2e-4}. */
  static String rate(double exact) {
    double x = new BigDecimal(exact, new MathContext(2)).doubleValue();
    if (x >= 0.01 && x < 1000) {
      return new BigDecimal(x, new MathContext(2)).stripTrailingZeros().toPlainString();
    }
    int exponent = (int) Math.floor(Math.log10(x) + 1e-9);
    String digits = new BigDecimal(x / Math.pow(10, exponent), new MathContext(2)).toPlainString();
    return digits.replaceFirst("\\.0$", "") + "e" + exponent;
  }

  /** The learning rate that calms a run: half of its own, or the usual one if that is far off. */
  String calmerRate() {
    OptionalDouble rate = run.highestRate();
    if (rate.isEmpty() || rate.getAsDouble() <= 0) {
      return "half the learning_rate";
    }
    double r = rate.getAsDouble();
    return r > FAR * run.usual()
        ? String.format("learning_rate: %s (usual; it is %s)", rate(run.usual()), rate(r))
        : String.format("learning_rate: %s (half of %s)", rate(r / 2), rate(r));
  }

  /** A higher one, or what else to look at where it is high already. */
  String higherRate() {
    OptionalDouble rate = run.highestRate();
    if (rate.isEmpty() || rate.getAsDouble() <= 0) {
      return "a higher learning_rate (" + rate(run.usual()) + " is usual)";
    }
    double r = rate.getAsDouble();
    return r < run.usual() / 2
        ? String.format("learning_rate: %s (usual; it is %s)", rate(run.usual()), rate(r))
        : String.format("learning_rate: %s (twice %s)", rate(2 * r), rate(r));
  }

  /** Whether its rate is so far below the usual one that this explains a loss that stays. */
  boolean isSlow() {
    OptionalDouble rate = run.highestRate();
    return rate.isPresent() && rate.getAsDouble() < run.usual() / 4;
  }

  /** What calms a run that climbs, without what is set already. */
  String calm() {
    List<String> all = new ArrayList<>(List.of(calmerRate()));
    if (run.number("warmup_steps").orElse(0) == 0) {
      all.add("some warmup_steps");
    }
    clipping().ifPresent(all::add);
    all.add("a larger batch_size or gradient_accumulation");
    return "Set " + all.get(0) + "; then try " + String.join(", ", all.subList(1, all.size()));
  }

  /** Clipping, if it is off or far above what is usual. */
  java.util.Optional<String> clipping() {
    OptionalDouble norm = run.number("max_grad_norm");
    return norm.isPresent() && norm.getAsDouble() > 0 && norm.getAsDouble() <= 1
        ? java.util.Optional.empty()
        : java.util.Optional.of("max_grad_norm: 1.0");
  }

  /** Where the adapter of the best measurement lies. */
  String best(long step) {
    if (!run.settings().containsKey("output_dir")) {
      return "Use what was saved nearest to step " + step;
    }
    return "Use best/, the adapter of step " + step;
  }

  /** What learns less by heart, without what is set already. */
  String gentler() {
    List<String> all = new ArrayList<>();
    if (run.number("early_stop").orElse(0) == 0 && run.settings().containsKey("output_dir")) {
      all.add("early_stop: 3");
    }
    all.add("fewer epochs");
    if (run.number("lora_rank").orElse(99) > 4) {
      all.add("a lower lora_rank");
    }
    OptionalDouble rate = run.highestRate();
    double gentle = run.usual() / (run.isDiffusion() ? 1 : 2);
    if (rate.isPresent() && rate.getAsDouble() > gentle) {
      all.add("learning_rate: " + rate(gentle));
    }
    all.add("more varied data");
    return "then " + String.join(", ", all);
  }
}
