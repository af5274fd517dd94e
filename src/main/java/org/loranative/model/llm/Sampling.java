package org.loranative.model.llm;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.loranative.Decimals;
import org.loranative.UserException;
import org.loranative.random.Philox;

/**
 * How the next token is chosen from its logits, in the order of transformers: penalties,
 * temperature, top-k, top-p, min-p.
 *
 * @param temperature 0 takes the likeliest token
 * @param topK keep this many of the likeliest tokens; 0 keeps all
 * @param topP keep the likeliest tokens that make up this share
 * @param minP keep tokens that are at least this share as likely as the likeliest (Nguyen et al.
 *     2024)
 * @param penalties of tokens that were there before
 */
public record Sampling(
    double temperature, int topK, double topP, double minP, Penalties penalties, long seed) {

  /**
   * What a token loses by having been there.
   *
   * @param repetition logits of tokens of prompt and answer are divided by it where they are
   *     positive and multiplied where not (Keskar et al. 2019); 1 does nothing
   * @param frequency taken from the logit for each time that a token is in the answer (OpenAI's)
   * @param presence likewise once
   */
  public record Penalties(double repetition, double frequency, double presence) {
    public static final Penalties NONE = new Penalties(1, 0, 0);

    public Penalties {
      require(repetition > 0 && repetition <= 10, "repetition_penalty", repetition, "(0, 10]");
      require(Math.abs(frequency) <= 2, "frequency_penalty", frequency, "[-2, 2]");
      require(Math.abs(presence) <= 2, "presence_penalty", presence, "[-2, 2]");
    }

    private void apply(float[] logits, Set<Integer> seen, List<Integer> answer) {
      if (repetition != 1) {
        for (int token : seen) {
          float z = logits[token];
          logits[token] = (float) (z > 0 ? z / repetition : z * repetition);
        }
      }
      if (frequency != 0 || presence != 0) {
        Map<Integer, Integer> counts = new HashMap<>();
        answer.forEach(token -> counts.merge(token, 1, Integer::sum));
        counts.forEach((token, n) -> logits[token] -= (float) (n * frequency + presence));
      }
    }
  }

  public Sampling {
    require(temperature >= 0 && temperature <= 100, "temperature", temperature, "[0, 100]");
    require(topK >= 0, "top_k", topK, "[0, ...)");
    require(topP > 0 && topP <= 1, "top_p", topP, "(0, 1]");
    require(minP >= 0 && minP <= 1, "min_p", minP, "[0, 1]");
  }

  private static void require(boolean holds, String name, double value, String range) {
    if (!holds) {
      throw new UserException(
          String.format("%s is %s, but must lie in %s.", name, Decimals.plain(value), range));
    }
  }

  /** Always the likeliest token. */
  public static Sampling greedy() {
    return new Sampling(0, 0, 1, 0, Penalties.NONE, 0);
  }

  /**
   * Chooses a token.
   *
   * @param logits [V]; changed
   * @param seen tokens of prompt and answer
   * @param answer tokens of the answer
   */
  int choose(float[] logits, Set<Integer> seen, List<Integer> answer) {
    penalties.apply(logits, seen, answer);
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    if (temperature <= 0) {
      return best;
    }
    double[] p = new double[logits.length];
    for (int i = 0; i < p.length; i++) {
      p[i] = Math.exp((logits[i] - logits[best]) / temperature);
    }
    double least = Math.max(least(p), minP); // the likeliest one's is 1
    double kept = 0;
    for (double x : p) {
      kept += x >= least ? x : 0;
    }
    double draw =
        Philox.uniform(Philox.words(seed, answer.size(), Philox.SAMPLING, 0, 0)[0]) * kept;
    int last = best;
    for (int i = 0; i < p.length; i++) {
      if (p[i] >= least) {
        last = i;
        draw -= p[i];
        if (draw < 0) {
          return i;
        }
      }
    }
    return last;
  }

  /** What top-k and top-p leave is at least this likely, relative to the likeliest. */
  private double least(double[] p) {
    if (topK == 0 && topP >= 1) {
      return 0;
    }
    double[] rising = p.clone();
    Arrays.sort(rising);
    int from = topK == 0 ? 0 : Math.max(0, rising.length - topK);
    double sum = 0;
    for (int i = from; i < rising.length; i++) {
      sum += rising[i];
    }
    double held = 0;
    int at = rising.length;
    while (at > from && held < topP * sum) {
      held += rising[--at];
    }
    return rising[at];
  }
}
