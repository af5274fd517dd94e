package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.io.Numbers;

/** What adapters add to a weight, beside numpy's numbers of the whole matrices. */
class ChangeTest {
  private static final double EXACT = 1e-6;

  private static JsonNode golden() throws IOException {
    return new ObjectMapper().readTree(Path.of("src/test/resources/changes.json").toFile());
  }

  private static float[] floats(JsonNode array) {
    float[] x = new float[array.size()];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) array.get(i).asDouble();
    }
    return x;
  }

  private static AdaptedLayer layer(JsonNode golden, String name) {
    Map<String, float[]> parts = new HashMap<>();
    golden
        .path("methods")
        .path(name)
        .path("parts")
        .properties()
        .forEach(e -> parts.put(e.getKey(), floats(e.getValue())));
    AdapterMethod method =
        AdapterMethods.named(name, new AdapterMethod.Choices(-1, LoraInit.DEFAULT, 1))
            .orElseThrow();
    Adapters.Target target =
        new Adapters.Target("x", golden.path("in").asLong(), golden.path("out").asLong());
    return new AdaptedLayer(
        target,
        method,
        golden.path("rank").asInt(),
        golden.path("alpha").asDouble(),
        Numbers.of(parts),
        false);
  }

  @ParameterizedTest
  @ValueSource(strings = {"lora", "dora", "loha", "lokr"})
  void isThatOfTheWholeMatrix(String method) throws IOException {
    JsonNode golden = golden();
    JsonNode expected = golden.path("methods").path(method);
    AdaptedLayer layer = layer(golden, method);
    Change change = layer.method().change(layer);
    double norm = expected.path("norm").asDouble();
    assertThat(change.norm()).isCloseTo(norm, offset(EXACT * norm));
    assertThat(change.spectra()).hasSameSizeAs(expected.path("spectra"));
    for (int i = 0; i < change.spectra().size(); i++) {
      double[] spectrum = change.spectra().get(i);
      for (int k = 0; k < spectrum.length; k++) {
        assertThat(spectrum[k])
            .isCloseTo(
                expected.path("spectra").get(i).get(k).asDouble(), offset(EXACT * spectrum[0]));
      }
    }
    assertThat(change.directions()).isEqualTo(expected.path("directions").asInt());
  }

  /** What began as a part of the weight has changed nothing by that. */
  @Test
  void ofAStartFromTheBaseIsTheDifferenceFromIt() throws IOException {
    JsonNode golden = golden();
    AdaptedLayer learnt = layer(golden, "lora");
    AdapterMethod method = new PissaInit().method(1);
    Map<String, Numbers> parts = new HashMap<>(learnt.numbers());
    float[] a = learnt.numbers(LowRankMethod.A);
    float[] b = learnt.numbers(LowRankMethod.B);
    float[] less = new float[b.length];
    for (int i = 0; i < b.length; i++) {
      less[i] = (float) (-learnt.scale() * b[i]);
    }
    parts.put("lora_A_start", Numbers.of(a));
    parts.put("lora_B_start", Numbers.of(less));
    AdaptedLayer unmoved =
        new AdaptedLayer(learnt.target(), method, learnt.rank(), learnt.alpha(), parts, false);
    assertThat(method.change(unmoved).norm()).isCloseTo(0, offset(1e-5));
    float[] moved = a.clone();
    moved[3] += 2;
    parts.put(LowRankMethod.A, Numbers.of(moved));
    double column = 0;
    for (int o = 0; o < learnt.target().out(); o++) {
      double x = b[o * learnt.rank()]; // a[0, 3] meets B's first column
      column += x * x;
    }
    Change change =
        method.change(
            new AdaptedLayer(learnt.target(), method, learnt.rank(), learnt.alpha(), parts, false));
    assertThat(change.norm()).isCloseTo(2 * learnt.scale() * Math.sqrt(column), offset(1e-4));
    assertThat(change.directions()).isEqualTo(1);
  }
}
