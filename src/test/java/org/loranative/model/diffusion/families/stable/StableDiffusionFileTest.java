package org.loranative.model.diffusion.families.stable;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.device.Device;
import org.loranative.diffusion.NoiseSchedule;
import org.loranative.diffusion.Prediction;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.lora.Adapters;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Painter;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.weights.Weights;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.TensorFiles;
import org.loranative.testing.TestDevices;

/** Checkpoints of one file compute what diffusers computes from them. */
class StableDiffusionFileTest {
  @TempDir Path folder;

  private static Path model(String kind) {
    return Golden.FOLDER.resolve("single-" + kind).resolve("model.safetensors");
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd1", "sd2", "xl"})
  void computesWhatDiffusersComputes(String kind) {
    DiffusionBase base = DiffusionFamilies.open(model(kind));
    Golden golden = new Golden(model(kind).resolveSibling("golden.safetensors"));
    boolean xl = kind.equals("xl");
    assertThat(base.family().name()).isEqualTo(xl ? "sdxl" : "sd");
    assertThat(schedule(base).prediction())
        .isEqualTo(kind.equals("sd2") ? Prediction.V_PREDICTION : Prediction.EPSILON);
    Map<String, Object> inputs = new HashMap<>();
    for (String name : List.of("latents", "timesteps", "text", "sizes", "image")) {
      inputs.put(name, golden.floats(name));
    }
    int[] ids = golden.ints("ids");
    int length = base.family().text().tokens();
    int[] positions = new int[ids.length];
    int[] start = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      positions[i] = i % length;
      start[i] = i / length * length;
    }
    for (String prefix : List.of(ClipEncoders.FIRST, ClipEncoders.SECOND)) {
      inputs.put(prefix + "ids", ids);
      inputs.put(prefix + "positions", positions);
      inputs.put(prefix + "doc_start", start);
      inputs.put(prefix + "end_rows", new int[] {5, length + 3});
    }
    if (xl) {
      inputs.put("pooled", golden.floats("pooled"));
    }
    Adapters none = Adapters.none();
    Map<Graph, List<String>> graphs =
        Map.of(
            DiffusionGraph.texts(base, none, DType.F32, 2, 0),
            xl ? List.of("text", "pooled") : List.of("text"),
            DiffusionGraph.prediction(
                base, none, DType.F32, new DiffusionGraph.Size(2, 6, 4, length)),
            List.of("prediction"),
            DiffusionGraph.encoder(base, DType.F32, 1, 8, 12),
            List.of("moments"));
    try (Device device = TestDevices.open("cpu")) {
      graphs.forEach((g, results) -> check(device, base, g, inputs, golden, results));
      inputs.put("latents", golden.floats("z"));
      Graph decoder = DiffusionGraph.decoder(base, DType.F32, 1, 5, 3);
      try (PlacedModel placed = new PlacedModel(device, base.weights(), none, Map.of(), decoder)) {
        float[] image = placed.run(decoder, inputs, 1, 1).get("image");
        assertThat(Errors.relative(image, golden.floats("decoded"))).isLessThan(1e-5);
      }
    }
  }

  private static void check(
      Device device,
      DiffusionBase base,
      Graph g,
      Map<String, Object> inputs,
      Golden golden,
      List<String> results) {
    try (PlacedModel model =
        new PlacedModel(device, base.weights(), Adapters.none(), Map.of(), g)) {
      Map<String, float[]> actual = model.run(g, inputs, 1, 1);
      for (String name : results) {
        assertThat(Errors.relative(actual.get(name), golden.floats(name)))
            .as(name)
            .isLessThan(1e-5);
      }
    }
  }

  @Test
  void saysWhatIsMissing() throws Exception {
    DiffusionBase base = DiffusionFamilies.open(model("sd1"));
    assertThatThrownBy(base.family().text()::reader)
        .isInstanceOf(UserException.class)
        .hasMessageContaining("tokenizer_path");
    DiffusionBase withTokenizer =
        DiffusionFamilies.open(
            model("xl"), BaseOptions.none().withTokenizer(Path.of("models/emoji-sd")));
    try (TextReader reader = withTokenizer.family().text().reader()) {
      assertThatThrownBy(() -> reader.first(List.of("a")))
          .isInstanceOf(UserException.class)
          .hasMessageContaining("CLIP knows 60");
    }
    Path pickle = Files.writeString(folder.resolve("model.ckpt"), "x");
    assertThatThrownBy(() -> DiffusionFamilies.open(pickle))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("pickle")
        .hasMessageContaining("save_file");
    Path other = Path.of("models/emoji-sd/vae/diffusion_pytorch_model.safetensors");
    assertThatThrownBy(() -> DiffusionFamilies.open(other))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("original layout");
  }

  /** Merges with the NAI family's text encoder leave "text_model." away. */
  @Test
  void readsTextEncodersOfAnotherName() {
    String prefix = "cond_stage_model.transformer.";
    Path file =
        TensorFiles.like(model("sd1"), n -> n.replace(prefix + "text_model.", prefix))
            .write(folder.resolve("nai.safetensors"));
    DiffusionBase usual = DiffusionFamilies.open(model("sd1"));
    DiffusionBase other = DiffusionFamilies.open(file);
    var weights = Weights.of(Painter.graphs(usual, Adapters.none(), DType.F32));
    assertThat(other.weights().fingerprint(weights))
        .isEqualTo(usual.weights().fingerprint(weights));
  }

  @ParameterizedTest
  @CsvSource({
    "model.diffusion_model.double_blocks.0.img_attn.qkv.weight, a relative of FLUX",
    "model.diffusion_model.joint_blocks.0.x.weight, Stable Diffusion 3",
    "lora_unet_mid_block.lora_up.weight, a LoRA"
  })
  void namesWhatElseAFileIs(String tensor, String expected) {
    Path file =
        TensorFiles.empty().with(tensor, List.of(1L), 0).write(folder.resolve("x.safetensors"));
    assertThatThrownBy(() -> DiffusionFamilies.open(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining(expected);
  }

  private static NoiseSchedule schedule(DiffusionBase base) {
    return (NoiseSchedule) base.noise();
  }
}
