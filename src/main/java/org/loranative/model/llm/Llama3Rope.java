package org.loranative.model.llm;

import java.util.Map;
import org.loranative.UserException;

/**
 * The numbers of Llama 3's rotary scaling that give a GGUF's factors: the file has the factors
 * alone, and the models there are have few numbers.
 */
final class Llama3Rope {
  private static final double[] FACTORS = {8, 32, 4, 16, 2, 64};
  private static final int SHORTEST = 16;
  private static final int LONGEST = 1 << 17;
  private static final float NEAR = 1e-3f;

  private Llama3Rope() {}

  /**
   * @throws UserException if none of the known ones gives them
   */
  static Map<String, Object> of(LlmConfig config, Map<String, Object> settings) {
    double theta = settings.get("rope_theta") instanceof Number n ? n.doubleValue() : 10000;
    int dim = 2 * config.rope().invFreq().size();
    for (double factor : FACTORS) {
      for (int original = LONGEST; original >= SHORTEST; original /= 2) {
        Map<String, Object> scaling =
            Map.of(
                "rope_type",
                "llama3",
                "factor",
                factor,
                "low_freq_factor",
                1.0,
                "high_freq_factor",
                4.0,
                "original_max_position_embeddings",
                original);
        if (gives(RopeSpec.of(dim, theta, scaling, original), config.rope())) {
          return scaling;
        }
      }
    }
    throw new UserException(
        "The GGUF's rotary factors (rope_freqs.weight) are none that a config.json is known for;"
            + " merge into a GGUF instead (--out FILE.gguf).");
  }

  private static boolean gives(RopeSpec spec, RopeSpec wanted) {
    boolean gives = true;
    for (int i = 0; i < wanted.invFreq().size(); i++) {
      float x = wanted.invFreq().get(i);
      gives &= Math.abs(spec.invFreq().get(i) - x) <= NEAR * x;
    }
    return gives;
  }
}
