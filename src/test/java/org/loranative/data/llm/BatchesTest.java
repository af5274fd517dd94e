package org.loranative.data.llm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.loranative.data.Source;
import org.loranative.testing.Seeded;

/** Every example once an epoch, whatever the grouping; the same order whenever asked. */
@ExtendWith(Seeded.class)
class BatchesTest {
  private static List<Example> examples(Random r, int n, int most) {
    List<Example> list = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      int length = 2 + r.nextInt(most - 1);
      list.add(new Example(new int[length], new int[length], new Source(Path.of("d"), i + 1)));
    }
    return list;
  }

  private static void everySampleOnce(List<List<Example>> batches, int n) {
    Set<Long> lines = new HashSet<>();
    batches.forEach(b -> b.forEach(s -> assertThat(lines.add(s.source().line())).isTrue()));
    assertThat(lines).hasSize(n);
  }

  @Test
  void shufflesByEpoch(Random r) {
    int n = 1 + r.nextInt(200);
    Batches b = new Batches(examples(r, n, 50), new Batches.Limits(7, false, 50, true, 3));
    everySampleOnce(b.epoch(0), n);
    everySampleOnce(b.epoch(5), n);
    assertThat(b.epoch(2)).isEqualTo(b.epoch(2));
    assertThat(b.epoch(0)).hasSize((n + 6) / 7);
    if (n > 20) {
      assertThat(b.epoch(0)).isNotEqualTo(b.epoch(1));
    }
  }

  @Test
  void keepsTheFilesOrder(Random r) {
    Batches b = new Batches(examples(r, 20, 50), new Batches.Limits(3, false, 50, false, 3));
    List<Long> lines = new ArrayList<>();
    b.epoch(4).forEach(x -> x.forEach(s -> lines.add(s.source().line())));
    assertThat(lines).isSorted();
  }

  @Test
  void packsWholeSamplesIntoRows(Random r) {
    int n = 300;
    List<Example> all = examples(r, n, 40);
    Batches b = new Batches(all, new Batches.Limits(1, true, 100, true, 3));
    List<List<Example>> rows = b.epoch(0);
    everySampleOnce(rows, n);
    assertThat(rows).allMatch(row -> Batches.tokens(row) <= 100);
    int tokens = Batches.tokens(all);
    assertThat(rows.size()).as("rows are nearly full").isLessThan(tokens / 90 + 2);
  }
}
