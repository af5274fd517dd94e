package org.loranative.model.llm;

import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.graph.ops.RopeTable;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * Rotary frequencies after scaling (transformers' modeling_rope_utils.py).
 *
 * @param invFreq radians per position, [rotary dims / 2]
 * @param scale of cosines and sines (YaRN's and longrope's attention factor)
 * @param mostTokens of a document that the frequencies hold for; 0 for any
 * @param growth of queries with their position
 */
public record RopeSpec(List<Float> invFreq, float scale, int mostTokens, RopeTable.Growth growth) {
  private static final String ORIGINAL = "original_max_position_embeddings";

  public RopeSpec {
    invFreq = List.copyOf(invFreq);
  }

  /** Refuses documents of more tokens than these frequencies hold for. */
  void require(int tokens) {
    if (mostTokens > 0 && tokens > mostTokens) {
      throw new UserException(
          String.format(
              "The model reads documents of more than %d tokens in another way (longrope's long"
                  + " factors), which is not supported: set max_length to %d or less (%d here).",
              mostTokens, mostTokens, tokens));
    }
  }

  /**
   * @param dim rotary dimensions of a head
   * @param theta base
   * @param scaling {@code rope_type} and its numbers; empty for none
   * @param maxPositions of the model, where YaRN's original length is not given
   */
  static RopeSpec of(int dim, double theta, Map<String, Object> scaling, double maxPositions) {
    String type =
        String.valueOf(scaling.getOrDefault("rope_type", scaling.getOrDefault("type", "default")));
    double[] plain = new double[dim / 2];
    for (int i = 0; i < plain.length; i++) {
      plain[i] = 1 / Math.pow(theta, 2.0 * i / dim);
    }
    RopeSpec spec = scaled(type, dim, theta, plain, scaling, maxPositions);
    float beta = (float) number(scaling, "llama_4_scaling_beta", 0);
    return beta == 0 ? spec : spec.growing(beta, number(scaling, ORIGINAL));
  }

  private RopeSpec growing(float beta, double length) {
    if (!(Float.isFinite(beta) && beta > 0 && length >= 1 && length <= Integer.MAX_VALUE)) {
      throw new UserException(
          String.format(
              "The model's queries grow by llama_4_scaling_beta %s each %s %s tokens; the first"
                  + " must be a number above 0, the second at least 1.",
              beta, ORIGINAL, length));
    }
    return new RopeSpec(invFreq, scale, mostTokens, new RopeTable.Growth(beta, (int) length));
  }

  private static RopeSpec scaled(
      String type,
      int dim,
      double theta,
      double[] plain,
      Map<String, Object> scaling,
      double maxPositions) {
    return switch (type) {
      case "default", "none" -> spec(plain, 1);
      case "mrope" -> spec(plain, 1); // three positions a token, which are one for text
      case "linear" -> {
        double factor = number(scaling, "factor");
        for (int i = 0; i < plain.length; i++) {
          plain[i] /= factor;
        }
        yield spec(plain, 1);
      }
      case "proportional" -> spec(proportional(dim, plain, scaling), 1);
      case "llama3" -> spec(llama3(plain, scaling), 1);
      case "yarn" -> yarn(dim, theta, plain, scaling, maxPositions);
      case "longrope", "su" -> longrope(plain, scaling, maxPositions);
      default ->
          throw new UserException(
              "The model's rope scaling \""
                  + type
                  + "\" is not supported (default, linear, proportional, llama3, yarn and longrope"
                  + " are).");
    };
  }

  private static double number(Map<String, Object> scaling, String key) {
    if (scaling.get(key) instanceof Number n) {
      return n.doubleValue();
    }
    throw new UserException("The model's rope scaling lacks \"" + key + "\".");
  }

  private static double number(Map<String, Object> scaling, String key, double otherwise) {
    return scaling.get(key) instanceof Number n ? n.doubleValue() : otherwise;
  }

  private static RopeSpec spec(double[] invFreq, double scale) {
    List<Float> list = new java.util.ArrayList<>();
    for (double f : invFreq) {
      list.add((float) f);
    }
    return new RopeSpec(list, (float) scale, 0, RopeTable.Growth.NONE);
  }

  /** Gemma 4's: the first channels of each half turn as ever, the others not at all. */
  private static double[] proportional(int dim, double[] plain, Map<String, Object> s) {
    double share = number(s, "partial_rotary_factor", 1);
    if (!(share > 0 && share <= 1)) {
      throw new UserException(
          "partial_rotary_factor is " + share + ", but must be above 0 and at most 1.");
    }
    int turned = (int) (share * dim / 2);
    double factor = number(s, "factor", 1);
    double[] scaled = new double[plain.length];
    for (int i = 0; i < turned; i++) {
      scaled[i] = plain[i] / factor;
    }
    return scaled;
  }

  /** Llama 3.1: long waves are slowed by the factor, short ones kept, those between blended. */
  private static double[] llama3(double[] plain, Map<String, Object> s) {
    double factor = number(s, "factor");
    double low = number(s, "low_freq_factor");
    double high = number(s, "high_freq_factor");
    double old = number(s, ORIGINAL);
    double[] scaled = new double[plain.length];
    for (int i = 0; i < plain.length; i++) {
      double wave = 2 * Math.PI / plain[i];
      double blend = (old / wave - low) / (high - low);
      scaled[i] =
          wave > old / low
              ? plain[i] / factor
              : wave < old / high ? plain[i] : (1 - blend) * plain[i] / factor + blend * plain[i];
    }
    return scaled;
  }

  /** Peng et al. 2023. */
  private static RopeSpec yarn(
      int dim, double theta, double[] plain, Map<String, Object> s, double maxPositions) {
    double factor = number(s, "factor");
    double old = number(s, ORIGINAL, maxPositions);
    double low = correction(number(s, "beta_fast", 32), dim, theta, old);
    double high = correction(number(s, "beta_slow", 1), dim, theta, old);
    if (!Boolean.FALSE.equals(s.get("truncate"))) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, dim - 1);
    double[] scaled = new double[plain.length];
    for (int i = 0; i < plain.length; i++) {
      double ramp = Math.max(0, Math.min(1, (i - low) / (high == low ? 0.001 : high - low)));
      scaled[i] = plain[i] / factor * ramp + plain[i] * (1 - ramp);
    }
    double mscale = number(s, "mscale", 0);
    double mscaleAll = number(s, "mscale_all_dim", 0);
    double attention =
        mscale != 0 && mscaleAll != 0
            ? magnitude(factor, mscale) / magnitude(factor, mscaleAll)
            : magnitude(factor, 1);
    return spec(scaled, number(s, "attention_factor", attention));
  }

  /** Ding et al. 2024, with the factors for documents of at most the original length. */
  private static RopeSpec longrope(double[] plain, Map<String, Object> s, double maxPositions) {
    double old = number(s, ORIGINAL);
    double factor = number(s, "factor", maxPositions / old);
    double attention = factor <= 1 ? 1 : Math.sqrt(1 + Math.log(factor) / Math.log(old));
    List<?> factors = s.get("short_factor") instanceof List<?> list ? list : List.of();
    if (factors.size() != plain.length) {
      throw new UserException(
          String.format(
              "The model's rope scaling has %d short factors; its heads want %d.",
              factors.size(), plain.length));
    }
    for (int i = 0; i < plain.length; i++) {
      plain[i] /= ((Number) factors.get(i)).doubleValue();
    }
    RopeSpec spec = spec(plain, number(s, "attention_factor", attention));
    return new RopeSpec(spec.invFreq, spec.scale, (int) old, spec.growth);
  }

  private static double correction(double rotations, int dim, double theta, double positions) {
    return dim * Math.log(positions / (rotations * 2 * Math.PI)) / (2 * Math.log(theta));
  }

  private static double magnitude(double factor, double mscale) {
    return factor <= 1 ? 1 : 0.1 * mscale * Math.log(factor) + 1;
  }

  /** The same frequencies divided by a GGUF's {@code rope_freqs} factors (llama3 scaling). */
  RopeSpec dividedBy(TensorEntry entry) {
    if (!entry.type().equals("F32") || entry.elements() != invFreq.size()) {
      throw new UserException(entry.file() + ": " + entry.name() + " has an unexpected shape.");
    }
    float[] factors = Safetensors.floats(entry);
    List<Float> divided = new java.util.ArrayList<>();
    for (int i = 0; i < invFreq.size(); i++) {
      divided.add(invFreq.get(i) / factors[i]);
    }
    return new RopeSpec(divided, scale, mostTokens, growth);
  }

  /** The same as an array. */
  float[] frequencies() {
    float[] f = new float[invFreq.size()];
    for (int i = 0; i < f.length; i++) {
      f[i] = invFreq.get(i);
    }
    return f;
  }
}
