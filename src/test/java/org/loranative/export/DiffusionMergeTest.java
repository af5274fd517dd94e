package org.loranative.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraFiles;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.weights.Reading;
import org.loranative.model.weights.StoredRows;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** Every weight of a merged model is the base's and what the adapters add, to the rounding. */
@ExtendWith(Seeded.class)
class DiffusionMergeTest {
  private static final int RANK = 3;
  private static final double SCALE = 0.6;

  @TempDir Path folder;

  private static Path base(String name) {
    Path in = Golden.FOLDER.resolve(name);
    Path file = in.resolve("model.safetensors");
    return Files.exists(file) ? file : in.resolve("base");
  }

  private static float[] random(Random random, long n, double size) {
    float[] x = new float[Math.toIntExact(n)];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (size * random.nextGaussian());
    }
    return x;
  }

  /** A layer's weight, [O, I·kernel²], a kernel as files have it. */
  private static double[] weight(DiffusionBase model, StoredRows rows, String path) {
    Reading reading = model.weights().reading(path + ".weight");
    float[] x = new float[(int) reading.entry().elements()];
    rows.read(reading.entry(), 0, (int) reading.entry().rows(), x);
    double[] wide = new double[x.length];
    int columns = (int) reading.entry().columns();
    for (int i = 0; i < x.length; i++) {
      int at = reading.transposed() ? i % columns * (x.length / columns) + i / columns : i;
      wide[at] = x[i];
    }
    return wide;
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sdxl", "single-sd1", "single-sd2", "single-xl"})
  void everyLayer(String name, Random random) throws Exception {
    DiffusionBase model = DiffusionFamilies.open(base(name));
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    for (Adapters.Target t : model.layers().targets()) {
      layers.put(
          t.path(),
          AdaptedLayer.lowRank(
              t,
              2,
              new AdaptedLayer.LowRank(
                  RANK, random(random, RANK * t.in(), 0.3), random(random, RANK * t.out(), 0.3))));
    }
    Path file = folder.resolve("lora.safetensors");
    LoraFiles.write(file, LoraFiles.Format.KOHYA, layers, model.layers(), Map.of());
    Path out = folder.resolve(Files.isDirectory(base(name)) ? "merged" : "merged.safetensors");
    new DiffusionMerge(model, List.of(new AdapterSource(file, SCALE))).write(out, "f32");

    DiffusionBase merged = DiffusionFamilies.open(out);
    try (StoredRows before = model.weights().rows();
        StoredRows after = merged.weights().rows()) {
      for (AdaptedLayer layer : layers.values()) {
        String path = layer.target().path();
        double[] expected = weight(model, before, path);
        add(layer, expected);
        double[] actual = weight(merged, after, path);
        float[] narrow = new float[actual.length];
        for (int i = 0; i < narrow.length; i++) {
          narrow[i] = (float) actual[i];
        }
        assertThat(Errors.relative(narrow, expected)).as(path).isLessThan(1e-6);
      }
      // What no adapter touches is as it was.
      for (String other : List.of("vae.decoder.conv_in", "vae.encoder.conv_out")) {
        assertThat(weight(merged, after, other)).isEqualTo(weight(model, before, other));
      }
    }
  }

  /** s B A of a layer whose A is [rank, kernel, kernel, I] in memory, to [O, I, kernel, kernel]. */
  private static void add(AdaptedLayer layer, double[] weight) {
    AdaptedLayer.LowRank m = layer.lowRank().orElseThrow();
    int taps = layer.target().kernel() * layer.target().kernel();
    int in = (int) layer.target().in();
    int channels = in / taps;
    for (int o = 0; o < layer.target().out(); o++) {
      for (int tap = 0; tap < taps; tap++) {
        for (int c = 0; c < channels; c++) {
          double sum = 0;
          for (int r = 0; r < RANK; r++) {
            sum += (double) m.b()[o * RANK + r] * m.a()[r * in + tap * channels + c];
          }
          weight[o * in + c * taps + tap] += SCALE * layer.scale() * sum;
        }
      }
    }
  }

  @Test
  void theLayoutIsTheBases() {
    DiffusionMerge merge = new DiffusionMerge(DiffusionFamilies.open(base("sd15")), List.of());
    assertThatThrownBy(() -> merge.write(folder.resolve("x.safetensors"), "source"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("a folder in diffusers' layout, so name a folder");
  }
}
