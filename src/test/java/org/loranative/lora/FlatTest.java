package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.loranative.io.Numbers;

class FlatTest {
  /** Parts from arrays and elsewhere, those that nothing was put at, and the gaps between them. */
  @Test
  void anyStretchIsWhatItsPartsSay() {
    List<Adapters.Target> layers =
        List.of(
            new Adapters.Target("a", 5, 3),
            new Adapters.Target("b", 700, 9),
            new Adapters.Target("c", 7, 2));
    Adapters adapters = new Adapters(new LoraSpec(3, 3, 0, List.of("all-linear"), false), layers);
    Flat flat = new Flat(adapters);
    float[] expected = new float[(int) adapters.floats()];
    float next = 1;
    for (Adapters.Module m : adapters.modules()) {
      Adapters.Place a = m.part("lora_A");
      float[] own = flat.array(a);
      for (int i = 0; i < own.length; i++) {
        own[i] = next++;
      }
      System.arraycopy(own, 0, expected, (int) a.offset(), own.length);
      if (!m.path().equals("b")) {
        Adapters.Place b = m.part("lora_B");
        float[] put = new float[(int) b.part().size()];
        Arrays.fill(put, -next++);
        flat.put(b, Numbers.of(put));
        System.arraycopy(put, 0, expected, (int) b.offset(), put.length);
      }
      assertThat(a.of(flat).all()).isEqualTo(own);
    }
    assertThat(flat.all()).isEqualTo(expected);
    for (int from = 0; from < expected.length; from += 13) {
      int count = Math.min(from % 97 + 1, expected.length - from);
      float[] some = new float[count + 2];
      Arrays.fill(some, 0.5f);
      flat.read(from, some, 1, count);
      assertThat(Arrays.copyOfRange(some, 1, count + 1))
          .isEqualTo(Arrays.copyOfRange(expected, from, from + count));
      assertThat(some[0]).isEqualTo(0.5f);
      assertThat(some[count + 1]).isEqualTo(0.5f);
    }
  }
}
