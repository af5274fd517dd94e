package org.loranative.model.diffusion.families.chroma;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.lora.Adapters;
import org.loranative.lora.LayerNames;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Framing;
import org.loranative.model.diffusion.Guidance;
import org.loranative.model.diffusion.TextReader;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;

/** A Chroma as its authors write it, by make_chroma_single_golden.py; parts of a FLUX.1's. */
class ChromaFileTest {
  private static final Path FOLDER = Golden.FOLDER.resolve("single-chroma");
  private static final Path FLUX = Golden.FOLDER.resolve("single-flux");
  private static final Path FILE = FOLDER.resolve("transformer.safetensors");
  private static final Golden GOLDEN = new Golden(FOLDER.resolve("golden.safetensors"));

  private static DiffusionBase open(String... encoders) {
    return DiffusionFamilies.open(
        FILE,
        new BaseOptions(
            Optional.of(Golden.FOLDER.resolve("spiece")),
            Optional.empty(),
            List.of(encoders).stream().map(FLUX::resolve).toList(),
            Optional.of(FLUX.resolve("ae.safetensors"))));
  }

  @Test
  void aTransformerWithItsPartsBesideIt() {
    DiffusionBase base = open("t5.safetensors");
    assertThat(base.family().name()).isEqualTo("chroma");
    assertThat(base.family().guidance()).isEqualTo(Guidance.LED);
    Map<String, Object> inputs = new HashMap<>();
    for (String name : List.of("latents", "timesteps")) {
      inputs.put(name, GOLDEN.floats(name));
    }
    inputs.put("text", GOLDEN.floats("context"));
    inputs.put("padding", GOLDEN.ints("padding"));
    base.family()
        .denoiser()
        .told(Framing.whole(12, 20), 1)
        .forEach(
            (input, one) -> {
              float[] both = Arrays.copyOf(one, 2 * one.length);
              System.arraycopy(one, 0, both, one.length, one.length);
              inputs.put(input, both);
            });
    int keys = GOLDEN.tensors().get("context").shape().get(1).intValue();
    DiffusionGraph.Size size = new DiffusionGraph.Size(2, 6, 10, keys);
    Graph g = DiffusionGraph.prediction(base, Adapters.none(), DType.F32, size);
    try (Device cpu = new CpuDevice(2);
        PlacedModel model = new PlacedModel(cpu, base.weights(), Adapters.none(), Map.of(), g)) {
      float[] actual = model.run(g, inputs, 1, 1).get("prediction");
      assertThat(Errors.relative(actual, GOLDEN.floats("prediction"))).isLessThan(1e-5);
    }
  }

  /** T5 sees no padding, the transformer its first token. */
  @Test
  void tellsHowMuchOfATextIsPadding() {
    try (TextReader reader = open("t5.safetensors").family().text().reader()) {
      String text = "a cat";
      List<String> texts = List.of("", text, (text + " and ").repeat(400));
      int[] padding = reader.first(texts).inputs().get(ChromaEncoders.T5 + "padding");
      int[] ids = reader.first(texts).inputs().get(ChromaEncoders.T5 + "ids");
      assertThat(padding[0]).isEqualTo(511); // the end alone
      assertThat(padding[1]).isBetween(400, 510);
      assertThat(padding[2]).isZero();
      for (int i = 0; i < texts.size(); i++) {
        int[] row = Arrays.copyOfRange(ids, i * 512, (i + 1) * 512);
        int end = 512 - padding[i];
        assertThat(row[end - 1]).as("the end of text %d", i).isEqualTo(1);
        assertThat(Arrays.stream(row, end, 512).allMatch(id -> id == 0)).isTrue();
      }
      int[] hidden = reader.told(texts).get(ChromaTexts.PADDING);
      assertThat(hidden).containsExactly(510, padding[1] - 1, 0);
    }
  }

  @Test
  void kohyasNamesAreTheOriginals() {
    DiffusionBase base = open("t5.safetensors");
    Set<String> expected =
        Safetensors.read(FILE).tensors().keySet().stream()
            .filter(n -> n.endsWith(".weight"))
            .map(n -> "lora_unet_" + n.replace(".weight", "").replace('.', '_'))
            .collect(Collectors.toCollection(TreeSet::new));
    LayerNames names = base.family().names();
    Set<String> ours =
        base.layers().targets().stream()
            .map(Adapters.Target::path)
            .map(p -> names.fused(p).map(LayerNames.Place::kohya).orElse(names.kohya(p)))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(ours).isEqualTo(expected);
  }

  @Test
  void saysWhatIsMissing() {
    assertThatThrownBy(() -> DiffusionFamilies.open(FILE))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("T5")
        .hasMessageContaining("text_encoder_path");
  }
}
