package org.loranative.model.diffusion.families.zimage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;

/** A Z-Image as its authors write it, by make_zimage_golden.py, with its parts beside it. */
class ZImageFileTest {
  private static final Path FILE = Golden.FOLDER.resolve("single-zimage/transformer.safetensors");
  private static final Path WHOLE = Golden.FOLDER.resolve("zimage");
  private static final Golden GOLDEN = new Golden(WHOLE.resolve("golden.safetensors"));

  private static DiffusionBase open(String encoder, String vae) {
    return DiffusionFamilies.open(
        FILE,
        new BaseOptions(
            Optional.empty(),
            Optional.empty(),
            List.of(WHOLE.resolve(encoder)),
            Optional.of(WHOLE.resolve(vae))));
  }

  private static void check(
      DiffusionBase base, Graph g, Map<String, Object> inputs, String result) {
    Map<String, float[]> constants = base.family().text().constants();
    try (Device cpu = new CpuDevice(2);
        PlacedModel model = new PlacedModel(cpu, base.weights(), Adapters.none(), constants, g)) {
      assertThat(Errors.relative(model.run(g, inputs, 1, 1).get(result), GOLDEN.floats(result)))
          .as(result)
          .isLessThan(1e-5);
    }
  }

  @Test
  void aTransformerWithItsPartsBesideIt() {
    DiffusionBase base = open("base/text_encoder", "base/vae");
    assertThat(base.family().name()).isEqualTo("zimage");
    Map<String, Object> inputs = new HashMap<>();
    List.of("latents", "timesteps").forEach(n -> inputs.put(n, GOLDEN.floats(n)));
    inputs.put("text", GOLDEN.floats("context"));
    inputs.putAll(ZImageTexts.told(new int[] {5, 37}, 64));
    DiffusionGraph.Size size = new DiffusionGraph.Size(2, 6, 10, 64);
    check(
        base,
        DiffusionGraph.prediction(base, Adapters.none(), DType.F32, size),
        inputs,
        "prediction");
    int[] ids = GOLDEN.ints("llm_ids");
    int[] positions = new int[ids.length];
    int[] start = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      positions[i] = i % ZImageTexts.TOKENS;
      start[i] = i / ZImageTexts.TOKENS * ZImageTexts.TOKENS;
    }
    check(
        base,
        DiffusionGraph.texts(base, Adapters.none(), DType.F32, 2, 0),
        Map.of(
            "text_encoder.ids",
            ids,
            "text_encoder.positions",
            positions,
            "text_encoder.doc_start",
            start),
        "text");
  }

  @Test
  void aWholeModelStandsForItsParts() {
    DiffusionBase base = open("base", "base");
    assertThat(base.weights().has("model.layers.0.self_attn.q_proj.weight")).isTrue();
    assertThat(base.normalized(2)).isEqualTo((2 - 0.1159) * 0.3611);
  }

  /** Rows behind a text are the learnt token's, up to a multiple of 32; nobody sees the others. */
  @Test
  void tellsWhereTextsEnd() {
    Map<String, int[]> told = ZImageTexts.told(new int[] {32, 33, 1}, 64);
    assertThat(told.get(ZImageTexts.LENGTHS)).containsExactly(32, 64, 32);
    assertThat(told.get(ZImageTexts.PADDING)).containsExactly(32, 0, 32);
    int[] rows = told.get(ZImageTexts.ROWS);
    int learnt = 3 * 64;
    assertThat(rows[31]).isEqualTo(31);
    assertThat(rows[32]).isEqualTo(learnt);
    assertThat(rows[64 + 32]).isEqualTo(64 + 32);
    assertThat(rows[64 + 33]).isEqualTo(learnt);
    assertThat(rows[2 * 64]).isEqualTo(2 * 64);
    assertThat(rows[2 * 64 + 1]).isEqualTo(learnt);
  }

  @Test
  void saysWhatIsMissing() {
    assertThatThrownBy(() -> DiffusionFamilies.open(FILE))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("Qwen3-4B")
        .hasMessageContaining("text_encoder_path");
  }
}
