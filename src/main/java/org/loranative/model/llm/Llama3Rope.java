package org.loranative.model.llm;

import java.util.Map;
import org.loranative.UserException;

/**
 * The numbers of Llama 3's rotary scaling that give a GGUF's factors: the file has the factors
 * alone, and the models there are have few numbers.
 */
final class Llama3Rope {
  private static final double[] FACTORS = {8, 32, 4, 16};
  private static final float NEAR = 1e-3f;

  private Llama3Rope() {}

  /**
   * @throws UserException if none of the known ones gives them
   */
  static Map<String, Object> of(LlmConfig config, Map<String, Object> settings) {
    double theta =
        settings.get("rope_theta") instanceof Number n ? n.doubleValue() : 10000;
    int dim = 2 * config.rope().invFreq().size();
    for (double factor : FACTORS) {
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
              8192);
      RopeSpec spec = RopeSpec.of(dim, theta, scaling, 8192);
      boolean equal = true;
      for (int i = 0; i < dim / 2; i++) {
        float wanted = config.rope().invFreq().get(i);
        equal &= Math.abs(spec.invFreq().get(i) - wanted) <= NEAR * wanted;
      }
      if (equal) {
        return scaling;
      }
    }
    throw new UserException(
        "The GGUF's rotary factors (rope_freqs.weight) are none that a config.json is known for;"
            + " merge into a GGUF instead (--out FILE.gguf).");
  }
}
