package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.io.Numbers;
import org.loranative.testing.Golden;

/** An adapter's file that says something else than what was trained is named. */
class ReadBackTest {
  private static final Adapters.Target LAYER =
      new Adapters.Target("model.layers.0.self_attn.q_proj", 48, 48);

  @TempDir Path folder;

  private Adapters adapters(String method, int rank) {
    AdapterMethod kind =
        AdapterMethods.named(method, new AdapterMethod.Choices(-1, LoraInit.DEFAULT, 1))
            .orElseThrow();
    return new Adapters(new LoraSpec(kind, rank, 5, 0, List.of("q_proj"), true, 1), List.of(LAYER));
  }

  @Test
  void theSameIsTheSame() throws Exception {
    for (String method : List.of("lora", "dora", "loha", "lokr")) {
      Adapters trained = adapters(method, 3);
      Numbers params = numbers(trained);
      Path to = folder.resolve(method);
      java.nio.file.Files.createDirectories(to);
      PeftFormat.write(to, trained, params, List.of(LAYER), "base");
      ReadBack.require(to, PeftFormat.read(to, List.of(LAYER)), trained, params);
    }
  }

  private static Numbers numbers(Adapters trained) {
    float[] params = trained.initial(7).all();
    for (int i = 0; i < params.length; i++) {
      params[i] += (i * 37 % 101 - 50) / 100f;
    }
    return Numbers.of(params);
  }

  @Test
  void oneNumberOrTheScaleOrALayerTells() {
    Adapters trained = adapters("lora", 3);
    Numbers params = numbers(trained);
    AdaptedLayer own = AdaptedLayer.of(trained.modules().get(0), params, false);
    AdaptedLayer.LowRank m = own.lowRank().orElseThrow();
    float[] b = m.b().clone();
    b[10] += 0.01f;
    List<Map<String, AdaptedLayer>> wrong =
        List.of(
            Map.of(
                LAYER.path(),
                AdaptedLayer.lowRank(LAYER, own.alpha(), new AdaptedLayer.LowRank(3, m.a(), b))),
            Map.of(LAYER.path(), AdaptedLayer.lowRank(LAYER, own.alpha() * 1.01, m)),
            Map.of());
    for (Map<String, AdaptedLayer> read : wrong) {
      assertThatThrownBy(() -> ReadBack.require(Golden.FOLDER, read, trained, params))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("does not say what was trained at " + LAYER.path());
    }
  }
}
