package org.loranative.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.UserException;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.llm.LlmBase;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;

/** The sizes of LoKr's factors, and what they do to files. */
class LokrMethodTest {
  private static final LayerNames NAMES =
      DiffusionFamilies.open(Golden.FOLDER.resolve("sd15/base")).family().names();

  @TempDir Path folder;

  /** What lycoris.functional.factorization gives for each of these sizes. */
  @ParameterizedTest
  @CsvSource({
    "-1, '1 1 3 1 8 10 16 18 16 20 24 32 32 32 86'",
    "1, '1 1 1 1 1 1 1 1 1 1 1 1 1 1 1'",
    "4, '1 1 3 1 4 2 4 4 4 4 4 4 4 4 4'",
    "8, '1 1 3 1 8 5 8 8 8 8 8 8 8 8 8'",
    "16, '1 1 3 1 8 10 16 15 16 16 16 16 16 16 16'"
  })
  void sizesAreTakenApartAsLycorisDoes(int factor, String expected) {
    long[] sizes = {1, 2, 12, 127, 128, 250, 320, 360, 512, 640, 768, 1024, 1280, 2048, 11008};
    String[] first = expected.split(" ");
    for (int i = 0; i < sizes.length; i++) {
      assertThat(LokrMethod.factors(sizes[i], factor)).isEqualTo(Long.parseLong(first[i]));
    }
  }

  @Test
  void secondMatrixIsFullWhenItIsSmall() {
    Adapters.Target layer = new Adapters.Target("x", 9 * 64, 64, 3);
    assertThat(shapes(new LokrMethod(-1), layer, 3))
        .containsExactly("lokr_w1 [8, 8]", "lokr_w2_a [8, 3]", "lokr_w2_b [3, 72]");
    assertThat(shapes(new LokrMethod(-1), layer, 4))
        .containsExactly("lokr_w1 [8, 8]", "lokr_w2 [8, 72]");
    assertThat(shapes(new LokrMethod(4), layer, 7))
        .containsExactly("lokr_w1 [4, 4]", "lokr_w2_a [16, 7]", "lokr_w2_b [7, 144]");
    assertThatThrownBy(() -> new LokrMethod(16).parts(layer, 4))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lokr_factor: 16 is more than the square root of 64")
        .hasMessageContaining("take at most 8");
  }

  private static NamedLayers layers(Adapters.Target target) {
    return new NamedLayers(List.of(target), NAMES);
  }

  private static Stream<String> shapes(AdapterMethod method, Adapters.Target layer, int rank) {
    return method.parts(layer, rank).stream().map(p -> p.name() + " " + p.shape());
  }

  /** Where both matrices are full no shape tells a rank, and readers of kohya's files no alpha. */
  @Test
  void filesOfFullMatricesHaveTheScaleInTheirNumbers() throws IOException {
    Path peft = Golden.FOLDER.resolve("adapters/lokr-full/start");
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("llama/base"));
    String path = "model.layers.0.self_attn.q_proj";
    AdaptedLayer layer = PeftFormat.read(peft, base.targets()).get(path);
    assertThat(layer.rank()).isEqualTo(12);
    assertThat(layer.scale()).isEqualTo(5.0 / 12);
    Adapters.Target target =
        new Adapters.Target("unet.x", layer.target().in(), layer.target().out());
    AdaptedLayer image =
        new AdaptedLayer(
            target, layer.method(), layer.rank(), layer.alpha(), layer.numbers(), false);
    Path file = folder.resolve("kohya.safetensors");
    LoraFiles.write(
        file, LoraFiles.Format.KOHYA, Map.of("unet.x", image), layers(target), Map.of());
    AdaptedLayer read = LoraFiles.read(file, layers(target)).get("unet.x");
    assertThat(read.scale()).isEqualTo(1);
    assertThat(read.numbers("lokr_w2")).isEqualTo(layer.numbers("lokr_w2"));
    float[] first = read.numbers("lokr_w1");
    for (int i = 0; i < first.length; i++) {
      assertThat(first[i]).isEqualTo((float) (layer.numbers("lokr_w1")[i] * 5.0 / 12));
    }
    assertThatThrownBy(
            () ->
                LoraFiles.write(
                    file,
                    LoraFiles.Format.DIFFUSERS,
                    Map.of("unet.x", image),
                    layers(target),
                    Map.of()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("diffusers reads no LoKr");
  }

  @Test
  void shapesThatAreNoFactorsAreNamed() {
    Path file =
        TensorFiles.empty()
            .with("lora_unet_x.lokr_w1", List.of(2L, 2L), 1, 2, 3, 4)
            .with("lora_unet_x.lokr_w2", List.of(2L, 2L), 1, 2, 3, 4)
            .write(folder.resolve("odd.safetensors"));
    assertThatThrownBy(() -> LoraFiles.read(file, layers(new Adapters.Target("unet.x", 5, 4))))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("do not fit the layer unet.x of 4 x 5");
  }

  /** A run goes on with matrices of its own sizes only. */
  @Test
  void runsStartFromTheSameFactors() {
    LlmBase base = LlmBase.open(Golden.FOLDER.resolve("llama/base"));
    Path peft = Golden.FOLDER.resolve("adapters/lokr-full/start");
    Map<String, AdaptedLayer> theirs = PeftFormat.read(peft, base.targets());
    List<String> paths = List.copyOf(theirs.keySet());
    Adapters same = adapters(new LokrMethod(2), base, paths);
    assertThat(PeftFormat.read(peft, same).all())
        .isEqualTo(InitAdapter.of(peft, theirs, same, 1).all());
    Adapters other = adapters(new LokrMethod(-1), base, paths);
    assertThatThrownBy(() -> InitAdapter.of(peft, theirs, other, 1))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("has lokr_w1 [2, 2]")
        .hasMessageContaining("lokr_factor");
  }

  private static Adapters adapters(AdapterMethod method, LlmBase base, List<String> paths) {
    return new Adapters(new LoraSpec(method, 12, 5, 0, paths, false, 1), base.targets());
  }
}
