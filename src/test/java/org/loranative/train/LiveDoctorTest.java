package org.loranative.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.loranative.diagnose.Finding;

/** What is said while a run trains, and taken back. */
class LiveDoctorTest {
  private static final Map<String, Object> SETTINGS =
      Map.of("task_type", "llm", "total_steps", 600, "shuffle", true);

  @Test
  void takesBackWhatDidNotStaySo() {
    LiveDoctor doctor = new LiveDoctor(SETTINGS, 600);
    Random r = new Random(1);
    List<String> said = new ArrayList<>();
    for (int step = 1; step <= 600; step++) {
      double loss = (1.5 + 2 * Math.exp(-step / 60.0)) * (1 + 0.05 * r.nextGaussian());
      // Validation rises for a while and then falls below what was its lowest.
      double val =
          step < 100
              ? 2.6 - 0.004 * step
              : step < 250 ? 2.2 + 0.002 * (step - 100) : 2.5 - 0.0015 * (step - 250);
      doctor.add(
          step,
          step % 25 == 0
              ? Map.of("Loss/train", loss, "Loss/val", val)
              : Map.of("Loss/train", loss));
      if (doctor.isDue(step)) {
        LiveDoctor.News news = doctor.news();
        news.found().forEach(f -> said.add("found " + f.symptom()));
        news.withdrawn().forEach(f -> said.add("withdrawn " + f.symptom()));
      }
    }
    assertThat(said).containsExactly("found OVERFITTING", "withdrawn OVERFITTING");
  }

  /** A run goes back for a loss far above its start, for no hard records. */
  @Test
  void goesBackOnlyForWhatIsBeyondDoubt() {
    assertThat(climbing(3.5)).isTrue();
    assertThat(climbing(1.25)).isFalse();
  }

  private static boolean climbing(double times) {
    LiveDoctor doctor = new LiveDoctor(SETTINGS, 600);
    Random r = new Random(2);
    boolean climbs = false;
    for (int step = 1; step <= 300; step++) {
      double level = 1.5 + Math.exp(-step / 40.0);
      double hard = r.nextInt(8) == 0 ? 2.2 : 1;
      double loss = level * hard * (1 + 0.05 * r.nextGaussian()) * (step > 150 ? times : 1);
      doctor.add(step, Map.of("Loss/train", loss));
      if (doctor.isDue(step)) {
        climbs |= LiveDoctor.climbing(doctor.news().found()).isPresent();
      }
    }
    return climbs;
  }

  @Test
  void saysBeforeTheFirstStepWhatIsKnown() {
    LiveDoctor doctor =
        new LiveDoctor(Map.of("task_type", "llm", "warmup_steps", 900, "total_steps", 600), 600);
    assertThat(doctor.news().found())
        .extracting(Finding::symptom)
        .containsExactly(Finding.Symptom.SCHEDULE);
  }
}
