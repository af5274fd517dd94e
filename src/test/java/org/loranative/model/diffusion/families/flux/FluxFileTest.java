package org.loranative.model.diffusion.families.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.Adapters;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Framing;
import org.loranative.model.diffusion.Guidance;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.weights.Quantize;
import org.loranative.model.weights.Weights;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;

/** Files as Black Forest Labs, ComfyUI and city96 write them, by make_flux_single_golden.py. */
class FluxFileTest {
  private static final Path FOLDER = Golden.FOLDER.resolve("single-flux");
  private static final Golden GOLDEN = new Golden(FOLDER.resolve("golden.safetensors"));

  @TempDir Path folder;

  private static BaseOptions parts(String vae, String... encoders) {
    return new BaseOptions(
        Optional.empty(),
        Optional.empty(),
        List.of(encoders).stream().map(FOLDER::resolve).toList(),
        Optional.of(FOLDER.resolve(vae)));
  }

  private static DiffusionBase open(String file) {
    return DiffusionFamilies.open(
        FOLDER.resolve(file), parts("ae.safetensors", "clip_l.safetensors", "t5.safetensors"));
  }

  private static void check(
      DiffusionBase base,
      Graph g,
      Map<String, Object> inputs,
      String result,
      String golden,
      double tolerance) {
    try (Device cpu = new CpuDevice(2);
        PlacedModel model = new PlacedModel(cpu, base.weights(), Adapters.none(), Map.of(), g)) {
      assertThat(Errors.relative(model.run(g, inputs, 1, 1).get(result), GOLDEN.floats(golden)))
          .as(golden)
          .isLessThan(tolerance);
    }
  }

  private static void predicts(DiffusionBase base, String golden, double tolerance) {
    Map<String, Object> inputs = new HashMap<>();
    for (String name : List.of("latents", "timesteps", "pooled")) {
      inputs.put(name, GOLDEN.floats(name));
    }
    inputs.put("text", GOLDEN.floats("context"));
    base.family()
        .denoiser()
        .told(Framing.whole(12, 20), 2.5)
        .forEach((input, one) -> inputs.put(input, new float[] {one[0], one[0]}));
    int keys = GOLDEN.tensors().get("context").shape().get(1).intValue();
    DiffusionGraph.Size size = new DiffusionGraph.Size(2, 6, 10, keys);
    Graph g = DiffusionGraph.prediction(base, Adapters.none(), DType.F32, size);
    check(base, g, inputs, "prediction", golden, tolerance);
  }

  private static Map<String, Object> textInputs(DiffusionBase base) {
    Map<String, Object> inputs = new HashMap<>();
    int[] ids = GOLDEN.ints("ids");
    int[] positions = new int[ids.length];
    int[] start = new int[ids.length];
    for (int i = 0; i < ids.length; i++) {
      positions[i] = i % 12;
      start[i] = i / 12 * 12;
    }
    inputs.put(FluxEncoders.CLIP + "ids", ids);
    inputs.put(FluxEncoders.CLIP + "positions", positions);
    inputs.put(FluxEncoders.CLIP + "doc_start", start);
    inputs.put(FluxEncoders.CLIP + "end_rows", new int[] {7, 12 + 4});
    int[] one = GOLDEN.ints("t5_ids");
    int[] both = new int[2 * one.length];
    System.arraycopy(one, 0, both, 0, one.length);
    System.arraycopy(one, 0, both, one.length, one.length);
    inputs.put(FluxEncoders.T5 + "ids", both);
    FluxEncoders text = (FluxEncoders) base.family().text();
    inputs.put(FluxEncoders.T5 + "distances", text.t5().config().distances(FluxEncoders.T5_TOKENS));
    return inputs;
  }

  private static void readsTexts(DiffusionBase base, double tolerance) {
    Graph g = DiffusionGraph.texts(base, Adapters.none(), DType.F32, 2, 0);
    Map<String, Object> inputs = textInputs(base);
    check(base, g, inputs, "pooled", "pooled", 1e-5);
    try (Device cpu = new CpuDevice(2);
        PlacedModel model = new PlacedModel(cpu, base.weights(), Adapters.none(), Map.of(), g)) {
      float[] text = model.run(g, inputs, 1, 1).get("text");
      float[] first = java.util.Arrays.copyOf(text, text.length / 2);
      assertThat(Errors.relative(first, GOLDEN.floats("t5"))).isLessThan(tolerance);
    }
  }

  @Test
  void aTransformerWithItsPartsBesideIt() {
    DiffusionBase base = open("transformer.safetensors");
    assertThat(base.family().name()).isEqualTo("flux");
    assertThat(base.family().guidance()).isEqualTo(Guidance.TOLD);
    predicts(base, "prediction", 1e-5);
    readsTexts(base, 1e-5);
    Graph decoder = DiffusionGraph.decoder(base, DType.F32, 1, 5, 7);
    check(base, decoder, Map.of("latents", GOLDEN.floats("z")), "image", "decoded", 1e-5);
  }

  @Test
  void everythingInOneFileInEightBits() {
    DiffusionBase base = DiffusionFamilies.open(FOLDER.resolve("fp8.safetensors"));
    predicts(base, "prediction.fp8", 1e-5);
    readsTexts(base, 1e-5);
    Graph decoder = DiffusionGraph.decoder(base, DType.F32, 1, 5, 7);
    check(base, decoder, Map.of("latents", GOLDEN.floats("z")), "image", "decoded", 1e-5);
    // Scales are told from what a model of another kind would have.
    base.quantize(Quantize.NF4);
    Map<String, Value> held =
        Weights.of(
            List.of(
                DiffusionGraph.prediction(
                    base, Adapters.none(), DType.F32, new DiffusionGraph.Size(1, 2, 2, 1))));
    assertThat(held.get("transformer.single_transformer_blocks.0.proj_out.weight").dtype())
        .isEqualTo(DType.NF4);
  }

  @Test
  void ggufAsItsBlocksStand() {
    BaseOptions options = parts("ae.safetensors", "clip_l.safetensors", "t5.gguf");
    DiffusionBase base = DiffusionFamilies.open(FOLDER.resolve("transformer.gguf"), options);
    predicts(base, "prediction.gguf", 1e-5);
    readsTexts(base, 0.02); // T5 in 8 bits
    base.quantize(Quantize.KEEP);
    predicts(base, "prediction.gguf", 1e-4);
    assertThat(DiffusionFamilies.isOne(FOLDER.resolve("transformer.gguf"))).isTrue();
    assertThat(DiffusionFamilies.isOne(FOLDER.resolve("t5.gguf"))).isFalse();
  }

  @Test
  void foldersStandForWhatIsInThem() {
    Path file = FOLDER.resolve("transformer.safetensors");
    DiffusionBase base =
        DiffusionFamilies.open(file, parts("vae", "clip_l.safetensors", "t5.safetensors"));
    Graph decoder = DiffusionGraph.decoder(base, DType.F32, 1, 5, 7);
    check(base, decoder, Map.of("latents", GOLDEN.floats("z")), "image", "decoded", 1e-5);
    // Of a whole model in diffusers' layout, another one here: all encoders were found in it.
    BaseOptions other =
        new BaseOptions(
            Optional.empty(),
            Optional.empty(),
            List.of(Golden.FOLDER.resolve("flux-dev/base")),
            Optional.of(FOLDER));
    assertThatThrownBy(() -> DiffusionFamilies.open(file, other))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("pooled_projection_dim");
  }

  /** A folder's own config says what shapes do not: here four groups instead of 32. */
  @Test
  void aVaeOfAFolderIsAsItsConfigSays() {
    Path base = Golden.FOLDER.resolve("flux-dev/base");
    BaseOptions own =
        new BaseOptions(
            Optional.empty(), Optional.empty(), List.of(), Optional.of(base.resolve("vae")));
    DiffusionBase opened = DiffusionFamilies.open(base, own);
    assertThat(opened.normalized(2)).isEqualTo((2 - 0.1159) * 0.3611);
  }

  /** tokenizer_path for T5 alone: CLIP's, which is built in, is not looked for there. */
  @Test
  void aTokenizerOfT5IsNotTakenForClips() {
    BaseOptions options =
        parts("ae.safetensors", "clip_l.safetensors", "t5.safetensors")
            .withTokenizer(Golden.FOLDER.resolve("spiece"));
    DiffusionBase base = DiffusionFamilies.open(FOLDER.resolve("transformer.safetensors"), options);
    assertThatThrownBy(() -> base.family().text().reader())
        .isInstanceOf(UserException.class)
        .hasMessageContaining("CLIP's, which is built in, has 49408 tokens, this base 60");
  }

  @Test
  void saysWhatIsMissingAndHowToNameIt() {
    Path file = FOLDER.resolve("transformer.safetensors");
    assertThatThrownBy(() -> DiffusionFamilies.open(file))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("CLIP")
        .hasMessageContaining("text_encoder_path");
    assertThatThrownBy(
            () -> DiffusionFamilies.open(file, parts("ae.safetensors", "clip_l.safetensors")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("T5");
    assertThatThrownBy(
            () -> DiffusionFamilies.open(file, parts("t5.safetensors", "clip_l.safetensors")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("vae_path");
    assertThatThrownBy(
            () ->
                DiffusionFamilies.open(
                    file,
                    new BaseOptions(
                        Optional.empty(),
                        Optional.empty(),
                        List.of(
                            FOLDER.resolve("clip_l.safetensors"), FOLDER.resolve("t5.safetensors")),
                        Optional.empty())))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("VAE")
        .hasMessageContaining("vae_path");
    assertThatThrownBy(
            () ->
                DiffusionFamilies.open(
                    file,
                    parts("ae.safetensors", "t5.gguf", "clip_l.safetensors", "t5.safetensors")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("twice");
    assertThatThrownBy(
            () -> DiffusionFamilies.open(file, parts("ae.safetensors", "ae.safetensors")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("neither a CLIP, a T5 nor a language model");
    assertThatThrownBy(() -> DiffusionFamilies.open(file, parts("ae.safetensors", "nothing")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("does not exist");
  }

  @Test
  void scalesThatFitNoMatrixAreRefused() throws Exception {
    List<Safetensors.Tensor> tensors = new ArrayList<>();
    Path in = FOLDER.resolve("transformer.safetensors");
    for (TensorEntry e : Safetensors.read(in).tensors().values()) {
      tensors.add(new Safetensors.Tensor(e.name(), DType.F16, e.shape(), Safetensors.data(e)));
    }
    tensors.add(
        new Safetensors.Tensor(
            "img_in.scale_weight", DType.F32, List.of(2L), ByteBuffer.allocate(8)));
    Path file = folder.resolve("blocks.safetensors");
    Safetensors.write(file, tensors, Map.of());
    assertThatThrownBy(
            () ->
                DiffusionFamilies.open(
                    file, parts("ae.safetensors", "clip_l.safetensors", "t5.safetensors")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("neither one number, nor one a row");
    assertThat(Files.exists(file)).isTrue();
  }
}
