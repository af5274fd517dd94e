package org.loranative.lora;

import org.loranative.Decimals;
import org.loranative.UserException;

/**
 * How many singular values are kept of a matrix. The rules by their sizes are those of kohya's
 * resize_lora.
 */
public sealed interface RankRule {
  /**
   * @param values the largest singular values, falling
   * @param norm Frobenius norm of the whole matrix
   * @return at least 1
   */
  int rank(double[] values, double norm);

  /** Whether the values alone tell it, however many are left out at the end. */
  default boolean isLocal() {
    return true;
  }

  /** A number that does not depend on the matrix. */
  record Fixed(int rank) implements RankRule {
    public Fixed {
      require(rank >= 1, "--rank", rank, "at least 1");
    }

    @Override
    public int rank(double[] values, double norm) {
      return Math.min(rank, values.length);
    }
  }

  /** Those that are larger than the largest one divided by {@code ratio}. */
  record Ratio(double ratio) implements RankRule {
    public Ratio {
      require(ratio > 1, "--sv-ratio", ratio, "above 1");
    }

    @Override
    public int rank(double[] values, double norm) {
      int rank = 1;
      while (rank < values.length && values[rank] > values[0] / ratio) {
        rank++;
      }
      return rank;
    }
  }

  /** As many as make up {@code share} of the sum of all. */
  record Cumulative(double share) implements RankRule {
    public Cumulative {
      require(share > 0 && share <= 1, "--sv-cumulative", share, "above 0 and at most 1");
    }

    @Override
    public int rank(double[] values, double norm) {
      double all = 0;
      for (double s : values) {
        all += s;
      }
      double held = 0;
      int rank = 0;
      while (rank < values.length && held < share * all) {
        held += values[rank++];
      }
      return Math.max(1, rank);
    }

    @Override
    public boolean isLocal() {
      return false;
    }
  }

  /** As many as hold {@code share} of the Frobenius norm. */
  record Frobenius(double share) implements RankRule {
    public Frobenius {
      require(share > 0 && share <= 1, "--sv-fro", share, "above 0 and at most 1");
    }

    @Override
    public int rank(double[] values, double norm) {
      double held = 0;
      int rank = 0;
      while (rank < values.length && Math.sqrt(held) < share * norm) {
        held += values[rank] * values[rank];
        rank++;
      }
      return Math.max(1, rank);
    }
  }

  private static void require(boolean holds, String option, double value, String range) {
    if (!holds) {
      throw new UserException(
          String.format("%s is %s, but must be %s.", option, Decimals.plain(value), range));
    }
  }
}
