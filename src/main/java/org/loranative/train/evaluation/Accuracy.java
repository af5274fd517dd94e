package org.loranative.train.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How many records models have right.
 *
 * @param key in the report
 * @param name for people
 */
record Accuracy(String key, String name) {
  /**
   * @param adapted empty if the base is measured alone
   */
  Exam.Outcome outcome(boolean[] base, Optional<boolean[]> adapted) {
    Estimate alone = of(base);
    if (adapted.isEmpty()) {
      return new Exam.Outcome(
          List.of(new Figure(key, name, Unit.PERCENT, alone, Optional.empty())), List.of());
    }
    Proportions.Pairs pairs = Proportions.Pairs.of(base, adapted.get());
    Estimate change = pairs.difference();
    Figure figure =
        new Figure(
            key,
            name,
            Unit.PERCENT,
            alone,
            Optional.of(
                new Figure.Comparison(
                    of(adapted.get()),
                    change,
                    Unit.POINTS,
                    Verdict.of(change, false, base.length, pairs.isSure()))));
    List<String> sentences = new ArrayList<>();
    sentences.add(Sentences.verdict(figure, base.length, pairs.needed()));
    sentences.add(
        String.format(
            "Changed by the adapter: %d from wrong to right, %d from right to wrong (McNemar's"
                + " exact p = %.2g).",
            pairs.won(), pairs.lost(), pairs.p()));
    return new Exam.Outcome(List.of(figure), sentences);
  }

  private static Estimate of(boolean[] right) {
    int count = 0;
    for (boolean r : right) {
      count += r ? 1 : 0;
    }
    return Proportions.of(count, right.length);
  }
}
