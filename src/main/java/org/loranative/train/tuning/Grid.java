package org.loranative.train.tuning;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;

/**
 * The values that are combined into candidates, the most promising of each kind first.
 *
 * @param scales alpha over rank
 */
record Grid(List<Double> rates, List<Integer> ranks, List<Double> scales) {
  /** The first candidates that a search could do with. */
  static final int LEAST = 4;

  static final int MOST = 16;

  Grid {
    rates = List.copyOf(rates);
    ranks = List.copyOf(ranks);
    scales = List.copyOf(scales);
  }

  /**
   * Ranks and scales around those of a configuration.
   *
   * @param ranks that the user named; may be empty
   */
  static Grid around(List<Double> rates, List<Integer> ranks, int rank, double alpha) {
    List<Integer> tried = new ArrayList<>(ranks);
    if (tried.isEmpty()) {
      tried.add(rank);
      tried.add(Math.max(1, rank / 4));
      tried.add(2 * rank);
      tried.add(Math.max(1, rank / 2));
    }
    double scale = alpha / rank;
    return new Grid(
        rates,
        tried.stream().distinct().toList(),
        List.of(scale, scale < 2 ? 2 * scale : scale / 2));
  }

  /** Without ranks that do not pass. */
  Grid filter(IntPredicate trainable) {
    return new Grid(rates, ranks.stream().filter(trainable::test).toList(), scales);
  }

  int size() {
    return rates.size() * ranks.size() * scales.size();
  }

  /** One of at most so many candidates: half of the longest list is left out until it is. */
  Grid within(int most) {
    Grid grid = this;
    while (grid.size() > most) {
      int longest = Math.max(grid.rates.size(), Math.max(grid.ranks.size(), grid.scales.size()));
      if (grid.ranks.size() == longest) {
        grid = new Grid(grid.rates, half(grid.ranks), grid.scales);
      } else if (grid.scales.size() == longest) {
        grid = new Grid(grid.rates, grid.ranks, half(grid.scales));
      } else {
        grid = new Grid(half(grid.rates), grid.ranks, grid.scales);
      }
    }
    return grid;
  }

  private static <T> List<T> half(List<T> list) {
    return list.subList(0, (list.size() + 1) / 2);
  }

  List<Candidate> candidates(int steps) {
    List<Candidate> all = new ArrayList<>();
    for (double rate : rates) {
      for (int rank : ranks) {
        for (double scale : scales) {
          all.add(new Candidate(rate, rank, scale * rank, steps));
        }
      }
    }
    return all;
  }
}
