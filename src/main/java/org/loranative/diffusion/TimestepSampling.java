package org.loranative.diffusion;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Stream;

/**
 * How a run of flow matching draws how noisy an image is, σ in (0, 1), before it is shifted (Esser
 * et al. 2024, section 3.1; the names are those of kohya's and diffusers' scripts).
 */
public enum TimestepSampling {
  /** All alike. */
  UNIFORM(Shift.CHOSEN) {
    @Override
    double sigma(double u, double normal) {
      return u;
    }
  },
  /** Mostly in the middle: the sigmoid of a normal number. */
  LOGIT_NORMAL(Shift.CHOSEN),
  /** Logit-normal, never shifted. */
  SIGMOID(Shift.NONE),
  /** Heavy tails, equation 20 of Esser et al. with the scale 1.29 that they found best. */
  MODE(Shift.CHOSEN) {
    @Override
    double sigma(double u, double normal) {
      double cosine = Math.cos(Math.PI / 2 * u);
      return 1 - u - MODE_SCALE * (cosine * cosine - 1 + u);
    }
  },
  /** What kohya's scripts call logit-normal with a shift. */
  SHIFT(Shift.CHOSEN),
  /** Logit-normal, shifted by the image's size as FLUX is: larger images are noisier. */
  FLUX_SHIFT(Shift.BY_SIZE);

  /** What the drawn σ is shifted by. */
  enum Shift {
    NONE {
      @Override
      FlowShift of(OptionalDouble chosen, FlowShift usual) {
        return new FlowShift.Constant(1);
      }
    },
    /** The user's, else the base's. */
    CHOSEN {
      @Override
      FlowShift of(OptionalDouble chosen, FlowShift usual) {
        return chosen.isPresent() ? new FlowShift.Constant(chosen.getAsDouble()) : usual;
      }
    },
    BY_SIZE {
      @Override
      FlowShift of(OptionalDouble chosen, FlowShift usual) {
        return FlowShift.BySize.FLUX;
      }
    };

    abstract FlowShift of(OptionalDouble chosen, FlowShift usual);
  }

  private static final double MODE_SCALE = 1.29;

  final Shift shift;

  TimestepSampling(Shift shift) {
    this.shift = shift;
  }

  /**
   * σ of an image: logit-normal, where a kind says nothing else.
   *
   * @param u uniform in [0, 1)
   * @param normal a standard normal number
   */
  double sigma(double u, double normal) {
    return 1 / (1 + Math.exp(-normal));
  }

  /** Its name for users. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<TimestepSampling> named(String label) {
    return Stream.of(values()).filter(s -> s.label().equals(label)).findFirst();
  }
}
