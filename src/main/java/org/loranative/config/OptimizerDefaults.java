package org.loranative.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * The optimizers, and the defaults that differ between them.
 *
 * @see Catalogue
 */
enum OptimizerDefaults {
  ADAMW,
  ADAMW8BIT,
  /** Its steps are as long for every number: a quarter of AdamW's rate. */
  LION {
    @Override
    double learningRate(boolean images) {
      return ADAMW.learningRate(images) / 4;
    }

    @Override
    double beta2() {
      return 0.99;
    }

    @Override
    List<String> ignores() {
      return List.of("adam_epsilon");
    }
  },
  /** Averages over steps instead of lowering the rate, and takes higher ones. */
  SCHEDULE_FREE_ADAMW {
    @Override
    double learningRate(boolean images) {
      return ADAMW.learningRate(images) * 2.5;
    }

    @Override
    String lrSchedule() {
      return "constant";
    }
  },
  /** Finds the rate itself: what is set multiplies it. */
  PRODIGY {
    @Override
    double learningRate(boolean images) {
      return 1;
    }

    @Override
    boolean findsRate() {
      return true;
    }
  },
  ADAFACTOR {
    @Override
    List<String> ignores() {
      return List.of("adam_beta1", "adam_beta2", "adam_epsilon");
    }
  },
  /** Its first steps are several times the rate. */
  CAME {
    @Override
    double learningRate(boolean images) {
      return ADAMW.learningRate(images) / 4;
    }

    @Override
    List<String> ignores() {
      return List.of("adam_epsilon");
    }
  };

  /** The usual learning rate. */
  double learningRate(boolean images) {
    return images ? 1e-4 : 2e-4;
  }

  /** Whether it finds the rate while it trains. */
  boolean findsRate() {
    return false;
  }

  double beta2() {
    return 0.999;
  }

  /** The usual schedule; where it is constant no other is taken. */
  String lrSchedule() {
    return "cosine";
  }

  /** Keys that mean nothing to it. */
  List<String> ignores() {
    return List.of();
  }

  /** As configurations write it. */
  String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  static List<String> labels() {
    return Arrays.stream(values()).map(OptimizerDefaults::label).toList();
  }

  /** Those of an optimizer; AdamW's if there is none of this name, which is refused later. */
  static OptimizerDefaults of(String label) {
    return Arrays.stream(values()).filter(o -> o.label().equals(label)).findFirst().orElse(ADAMW);
  }
}
