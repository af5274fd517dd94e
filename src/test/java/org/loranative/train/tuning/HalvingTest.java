package org.loranative.train.tuning;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class HalvingTest {
  @Test
  void theBetterHalfGoesOnTwiceAsFar() {
    assertThat(new Halving(16, 160).rungs())
        .containsExactly(
            new Halving.Rung(16, 20),
            new Halving.Rung(8, 40),
            new Halving.Rung(4, 80),
            new Halving.Rung(2, 160));
    assertThat(new Halving(16, 160).cost()).isEqualTo(16 * 20 + 8 * 20 + 4 * 40 + 2 * 80);
    assertThat(new Halving(6, 100).rungs())
        .containsExactly(
            new Halving.Rung(6, 24), new Halving.Rung(3, 48), new Halving.Rung(2, 100));
    assertThat(new Halving(2, 33).rungs()).containsExactly(new Halving.Rung(2, 33));
  }

  @Test
  void everyRungIsAMeasurement() {
    for (int n = 2; n <= Grid.MOST; n++) {
      for (int steps = 1; steps < 500; steps += 7) {
        Halving halving = new Halving(n, steps);
        int before = 0;
        for (Halving.Rung rung : halving.rungs()) {
          assertThat(rung.step() % halving.every() == 0 || rung.step() == steps).isTrue();
          if (halving.isPatient()) {
            assertThat(rung.step()).isGreaterThan(before).isLessThanOrEqualTo(steps);
          }
          before = rung.step();
        }
      }
    }
  }

  @Test
  void aGridGivesUpWhatPromisesLeast() {
    Grid grid = Grid.around(List.of(1e-3, 3e-4), List.of(), 8, 8);
    assertThat(grid.size()).isEqualTo(16);
    assertThat(grid.ranks()).containsExactly(8, 2, 16, 4);
    assertThat(grid.scales()).containsExactly(1.0, 2.0);
    assertThat(grid.within(8)).isEqualTo(new Grid(grid.rates(), List.of(8, 2), grid.scales()));
    assertThat(grid.within(4)).isEqualTo(new Grid(grid.rates(), List.of(8), grid.scales()));
    assertThat(Grid.around(List.of(1.0), List.of(64, 5), 16, 32).candidates(50))
        .containsExactly(
            new Candidate(1, 64, 128, 50),
            new Candidate(1, 64, 64, 50),
            new Candidate(1, 5, 10, 50),
            new Candidate(1, 5, 5, 50));
    assertThat(Grid.around(List.of(1.0), List.of(), 1, 1).ranks()).containsExactly(1, 2);
  }

  @Test
  void numbersAreWrittenAsConfigurationsWriteThem() {
    assertThat(Candidate.number(1.7e-3)).isEqualTo("0.0017");
    assertThat(Candidate.number(Candidate.rounded(1.234e-6))).isEqualTo("12e-7");
    assertThat(Candidate.number(16)).isEqualTo("16");
    assertThat(Candidate.number(0.1f)).isEqualTo("0.1");
  }
}
