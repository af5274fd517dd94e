package org.loranative.model.diffusion.families;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Recompute;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraSpec;
import org.loranative.model.diffusion.DenoisingObjective;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.Framing;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.TestDevices;

/**
 * Each family in small against diffusers, transformers and peft: text states, VAE, prediction,
 * every adapter gradient, ten AdamW steps; over latents of odd sizes where the family takes them.
 */
class DiffusionGoldenTest {
  private static final int IMAGES = 2;
  private static final int TOKENS = 12;

  /** What the golden files adapt: a family has its own names among these. */
  private static final LoraSpec UNET =
      spec("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2");

  private static final List<String> MMDIT_LAYERS =
      List.of(
          "to_q",
          "to_k",
          "to_v",
          "to_out.0",
          "add_q_proj",
          "add_k_proj",
          "add_v_proj",
          "to_add_out",
          "ff.net.0.proj",
          "ff.net.2",
          "ff_context.net.0.proj",
          "ff_context.net.2",
          "norm1.linear",
          "norm1_context.linear",
          "norm_out.linear",
          "context_embedder",
          "proj_out",
          "text_embedder.linear_1");

  private static final LoraSpec MMDIT = spec(MMDIT_LAYERS.toArray(String[]::new));

  /** The same, and what blocks of one stream have. */
  private static final LoraSpec FLUX =
      spec(
          Stream.concat(MMDIT_LAYERS.stream(), Stream.of("norm.linear", "proj_mlp", "x_embedder"))
              .toArray(String[]::new));

  /** What those have but for the layers that make modulations, and the network in their place. */
  private static final LoraSpec CHROMA =
      spec(
          Stream.concat(
                  FLUX.targets().stream()
                      .filter(t -> !t.startsWith("norm") && !t.startsWith("text_embedder")),
                  Stream.of("in_proj", "linear_2", "out_proj"))
              .toArray(String[]::new));

  private static final LoraSpec ZIMAGE =
      spec(
          "to_q",
          "to_k",
          "to_v",
          "to_out.0",
          "w1",
          "w2",
          "w3",
          "adaLN_modulation.0",
          "adaLN_modulation.1",
          "all_x_embedder.2-1",
          "cap_embedder.1",
          "linear",
          "mlp.0");

  private static LoraSpec specOf(String family) {
    return switch (family) {
      case "chroma" -> CHROMA;
      case "flux" -> FLUX;
      case "sd3" -> MMDIT;
      case "zimage" -> ZIMAGE;
      default -> UNET;
    };
  }

  private static LoraSpec spec(String... targets) {
    return new LoraSpec(4, 8, 0, List.of(targets), false);
  }

  private static final Map<String, Device> DEVICES = new HashMap<>();

  @BeforeAll
  static void open() {
    TestDevices.MODELS.forEach(n -> DEVICES.put(n, TestDevices.open(n)));
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Device::close);
  }

  static Stream<Arguments> everywhere() {
    return TestDevices.models(
        List.of(
            "sd15", "sd21", "sdxl", "sd3", "sd35", "flux-dev", "flux-schnell", "chroma", "zimage"),
        Set.of("sd15", "sd35", "zimage"));
  }

  /** Those, without what would take the emulators minutes: there one shape of each kind stands. */
  static Stream<Arguments> fewer() {
    return everywhere()
        .filter(
            a ->
                a.get()[0].equals("cpu")
                    || List.of("sdxl", "sd35", "flux-dev").contains(a.get()[1]));
  }

  /** The token that ends a text in the golden models. */
  private static final int END = 59;

  /** The model's files, and what the peers made of it. */
  private record Files(Golden golden, DiffusionBase base) {
    static Files of(String name) {
      Path folder = Golden.FOLDER.resolve(name);
      return new Files(
          new Golden(folder.resolve("golden.safetensors")),
          DiffusionFamilies.open(folder.resolve("base")));
    }

    void check(Map<String, float[]> actual, String result, String expected, double tolerance) {
      assertThat(Errors.relative(actual.get(result), golden.floats(expected)))
          .as(expected)
          .isLessThan(tolerance);
    }

    /** What the text encoders read: rows of 12 tokens. */
    Map<String, Object> textInputs() {
      Map<String, Object> inputs = new HashMap<>();
      if (has("ids")) {
        putClip(inputs);
      }
      if (has("llm_ids")) {
        putLanguageModel(inputs);
      }
      if (has("t5_ids")) {
        String prefix =
            Stream.of("text_encoder.", "text_encoder_2.", "text_encoder_3.")
                .filter(p -> base.weights().has(p + "shared.weight"))
                .findFirst()
                .orElse("text_encoder_3."); // of a base without T5
        inputs.put(prefix + "ids", golden.ints("t5_ids"));
        inputs.put(prefix + "distances", golden.ints("distances"));
        if (has("t5_padding")) {
          inputs.put(prefix + "padding", golden.ints("t5_padding"));
        }
      }
      return inputs;
    }

    private void putClip(Map<String, Object> inputs) {
      int[] ids = golden.ints("ids");
      int[] positions = new int[ids.length];
      int[] start = new int[ids.length];
      int[] ends = new int[IMAGES];
      for (int i = ids.length - 1; i >= 0; i--) {
        positions[i] = i % TOKENS;
        start[i] = i / TOKENS * TOKENS;
        if (ids[i] == END) {
          ends[i / TOKENS] = i;
        }
      }
      for (String prefix : List.of("text_encoder.", "text_encoder_2.")) {
        inputs.put(prefix + "ids", ids);
        inputs.put(prefix + "positions", positions);
        inputs.put(prefix + "doc_start", start);
        inputs.put(prefix + "end_rows", ends);
      }
    }

    private void putLanguageModel(Map<String, Object> inputs) {
      int[] ids = golden.ints("llm_ids");
      int[] positions = new int[ids.length];
      int[] start = new int[ids.length];
      int tokens = ids.length / IMAGES;
      for (int i = 0; i < ids.length; i++) {
        positions[i] = i % tokens;
        start[i] = i / tokens * tokens;
      }
      inputs.put("text_encoder.ids", ids);
      inputs.put("text_encoder.positions", positions);
      inputs.put("text_encoder.doc_start", start);
    }

    boolean has(String tensor) {
      return golden.tensors().containsKey(tensor);
    }

    /** Of the latents, with so many text tokens for each image. */
    DiffusionGraph.Size size(int keys) {
      return new DiffusionGraph.Size(IMAGES, 6, 10, keys);
    }

    /** Where the denoiser runs alone: fewer tokens than the encoders make, if there are many. */
    DiffusionGraph.Size size() {
      long tokens = golden.tensors().get(context()).shape().get(1);
      return size((int) tokens);
    }

    private String context() {
      return has("context") ? "context" : "text";
    }

    Adapters adapters() {
      String part = base.family().denoiser().part();
      return new Adapters(
          specOf(base.family().name()),
          DiffusionGraph.targets(base).stream().filter(t -> t.path().startsWith(part)).toList());
    }

    Map<String, Object> denoiserInputs() {
      Map<String, Object> inputs = new HashMap<>();
      Stream.of("latents", "timesteps", "pooled", "sizes", "target", "weights")
          .filter(this::has)
          .forEach(input -> inputs.put(input, golden.floats(input)));
      inputs.put("text", golden.floats(context()));
      Stream.of("padding", "rows", "lengths")
          .filter(this::has)
          .forEach(input -> inputs.put(input, golden.ints(input)));
      double guidance = has("guidance") ? golden.floats("guidance")[0] : 1;
      base.family()
          .denoiser()
          .told(Framing.whole(48, 80), guidance)
          .forEach((input, one) -> inputs.putIfAbsent(input, twice(one)));
      return inputs;
    }

    private static float[] twice(float[] one) {
      float[] both = java.util.Arrays.copyOf(one, 2 * one.length);
      System.arraycopy(one, 0, both, one.length, one.length);
      return both;
    }

    PlacedModel place(Device device, Adapters adapters, Graph graph) {
      return new PlacedModel(
          device, base.weights(), adapters, base.family().text().constants(), graph);
    }
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void textStates(String device, String name) {
    Files files = Files.of(name);
    Graph g = DiffusionGraph.texts(files.base, Adapters.none(), DType.F32, IMAGES, 0);
    try (PlacedModel model = files.place(DEVICES.get(device), Adapters.none(), g)) {
      Map<String, float[]> results = model.run(g, files.textInputs(), 1, 1);
      files.check(results, "text", "text", 1e-5);
      if (files.has("pooled")) {
        files.check(results, "pooled", "pooled", 1e-5);
      }
      if (!files.has("text.skip1")) {
        return;
      }
      Graph skipped = DiffusionGraph.texts(files.base, Adapters.none(), DType.F32, IMAGES, 1);
      files.check(model.run(skipped, files.textInputs(), 1, 1), "text", "text.skip1", 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void imagesAndLatents(String device, String name) {
    Files files = Files.of(name);
    Graph encoder = DiffusionGraph.encoder(files.base, DType.F32, 1, 20, 28);
    Graph decoder = DiffusionGraph.decoder(files.base, DType.F32, 1, 5, 7);
    try (PlacedModel model = files.place(DEVICES.get(device), Adapters.none(), encoder)) {
      Map<String, float[]> image = Map.of("image", files.golden.floats("image"));
      files.check(model.run(encoder, image, 1, 1), "moments", "moments", 1e-5);
    }
    try (PlacedModel model = files.place(DEVICES.get(device), Adapters.none(), decoder)) {
      Map<String, float[]> latents = Map.of("latents", files.golden.floats("z"));
      files.check(model.run(decoder, latents, 1, 1), "image", "decoded", 1e-5);
    }
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void prediction(String device, String name) {
    Files files = Files.of(name);
    Graph g = DiffusionGraph.prediction(files.base, Adapters.none(), DType.F32, files.size());
    try (PlacedModel model = files.place(DEVICES.get(device), Adapters.none(), g)) {
      files.check(model.run(g, files.denoiserInputs(), 1, 1), "prediction", "prediction", 1e-5);
    }
  }

  private static float[] start(Files files, Adapters adapters) {
    return start(files, adapters, "start.");
  }

  private static float[] start(Files files, Adapters adapters, String prefix) {
    float[] flat = new float[(int) adapters.floats()];
    for (Adapters.Module m : adapters.modules()) {
      float[] a = files.golden.floats(prefix + m.path() + ".lora_A");
      float[] b = files.golden.floats(prefix + m.path() + ".lora_B");
      System.arraycopy(a, 0, flat, (int) m.part("lora_A").offset(), a.length);
      System.arraycopy(b, 0, flat, (int) m.part("lora_B").offset(), b.length);
    }
    return flat;
  }

  @ParameterizedTest
  @MethodSource("fewer")
  void training(String device, String name) {
    Files files = Files.of(name);
    Adapters adapters = files.adapters();
    Graph g =
        DiffusionGraph.training(
            files.base, adapters, DType.F32, files.size(), false, 0, new DenoisingObjective(0));
    try (PlacedModel model = files.place(DEVICES.get(device), adapters, g)) {
      model.state().write(AdapterState.PARAMS, Numbers.of(start(files, adapters)));
      int steps = device.equals("cuda-check") ? 1 : 10;
      float[] losses = new float[steps];
      Graph update = model.update();
      for (int step = 1; step <= steps; step++) {
        losses[step - 1] = model.run(g, files.denoiserInputs(), step, IMAGES).get("loss")[0];
        if (step == 1) {
          Map<String, float[]> gradients = model.byModule(AdapterState.GRADS);
          assertThat(gradients.size()).isEqualTo(count(files, "grad."));
          gradients.keySet().forEach(k -> files.check(gradients, k, "grad." + k, 1e-3));
        }
        model.run(update, Map.of(), step, IMAGES);
      }
      float[] expected = java.util.Arrays.copyOf(files.golden.floats("losses"), steps);
      assertThat(Errors.relative(losses, expected)).isLessThan(1e-4);
      if (steps < 10) {
        return;
      }
      Map<String, float[]> after = model.byModule(AdapterState.PARAMS);
      after.keySet().forEach(k -> files.check(after, k, "final." + k, 1e-3));
    }
  }

  private static long count(Files files, String prefix) {
    return files.golden.tensors().keySet().stream().filter(k -> k.startsWith(prefix)).count();
  }

  private static final List<Object> FROZEN_TEXTS = List.of("chroma", "zimage");

  /** Those whose encoders make few tokens and can be adapted. */
  static Stream<Arguments> shortTexts() {
    return fewer()
        .filter(
            a ->
                a.get()[0].equals("cpu") && !FROZEN_TEXTS.contains(a.get()[1])
                    || a.get()[1].equals("sdxl"));
  }

  /** Adapters on convolutions and on the text encoders, which then run in the step. */
  @ParameterizedTest
  @MethodSource("shortTexts")
  void trainingConvolutionsAndTextEncoders(String device, String name) {
    Files files = Files.of(name);
    String prefix = "hooked.grad.";
    List<String> paths =
        files.golden.tensors().keySet().stream()
            .filter(k -> k.startsWith(prefix) && k.endsWith(".lora_A"))
            .map(k -> k.substring(prefix.length(), k.length() - ".lora_A".length()))
            .toList();
    LoraSpec spec = new LoraSpec(2, 6, 0, paths, false);
    Adapters adapters = new Adapters(spec, DiffusionGraph.targets(files.base));
    Graph g =
        DiffusionGraph.training(
            files.base,
            adapters,
            DType.F32,
            files.size(files.base.family().text().tokens()),
            true,
            0,
            new DenoisingObjective(0));
    try (PlacedModel model = files.place(DEVICES.get(device), adapters, g)) {
      model.state().write(AdapterState.PARAMS, Numbers.of(start(files, adapters, "hooked.start.")));
      Map<String, Object> inputs = files.denoiserInputs();
      inputs.putAll(files.textInputs());
      float first = model.run(g, inputs, 1, IMAGES).get("loss")[0];
      Map<String, float[]> gradients = model.byModule(AdapterState.GRADS);
      assertThat(gradients.size()).isEqualTo(count(files, prefix));
      gradients.keySet().forEach(k -> files.check(gradients, k, prefix + k, 1e-3));
      float[] params = model.state().numbers(AdapterState.PARAMS).all();
      float[] flat = model.state().numbers(AdapterState.GRADS).all();
      for (int i = 0; i < params.length; i++) {
        params[i] -= flat[i];
      }
      model.state().write(AdapterState.PARAMS, Numbers.of(params));
      float second = model.run(g, inputs, 2, IMAGES).get("loss")[0];
      float[] losses = {first, second};
      assertThat(Errors.relative(losses, files.golden.floats("hooked.losses"))).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @MethodSource("fewer")
  void recomputingGivesTheSameBits(String device, String name) {
    assumeFalse(device.equals("cuda-check"));
    Files files = Files.of(name);
    Adapters adapters = files.adapters();
    Graph full =
        DiffusionGraph.training(
            files.base, adapters, DType.F32, files.size(), false, 0, new DenoisingObjective(0));
    try (PlacedModel model = files.place(DEVICES.get(device), adapters, full)) {
      model.state().write(AdapterState.PARAMS, Numbers.of(start(files, adapters)));
      model.run(full, files.denoiserInputs(), 1, IMAGES);
      float[] expected = model.state().numbers(AdapterState.GRADS).all();
      for (Recompute.Mode mode : Recompute.Mode.values()) {
        Map<String, Recompute.Mode> modes = new LinkedHashMap<>();
        Recompute.blocks(full).forEach(b -> modes.put(b, mode));
        model.state().write(AdapterState.GRADS, Numbers.of(new float[expected.length]));
        model.run(Recompute.apply(full, modes), files.denoiserInputs(), 1, IMAGES);
        assertThat(model.state().numbers(AdapterState.GRADS).all())
            .as(mode.name())
            .isEqualTo(expected);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("everywhere")
  void sixteenBitsFollow(String device, String name) {
    for (DType dtype : List.of(DType.BF16, DType.F16)) {
      boolean computes = device.equals("cpu") ? dtype == DType.BF16 && CpuDevice.hasBf16() : true;
      if (!computes) {
        continue;
      }
      Files files = Files.of(name);
      Graph g = DiffusionGraph.prediction(files.base, Adapters.none(), dtype, files.size());
      try (PlacedModel model = files.place(DEVICES.get(device), Adapters.none(), g)) {
        double tolerance = dtype == DType.BF16 ? 3e-2 : 4e-3;
        files.check(
            model.run(g, files.denoiserInputs(), 1, 1), "prediction", "prediction", tolerance);
      }
    }
  }

  /** As far as rounding lets them; here layers read their input together. */
  @ParameterizedTest
  @MethodSource("fewer")
  void gradientsInSixteenBitsFollow(String device, String name) {
    assumeTrue(!device.equals("cpu") || CpuDevice.hasBf16());
    Files files = Files.of(name);
    Adapters adapters = files.adapters();
    Graph g =
        DiffusionGraph.training(
            files.base, adapters, DType.BF16, files.size(), false, 0, new DenoisingObjective(0));
    try (PlacedModel model = files.place(DEVICES.get(device), adapters, g)) {
      model.state().write(AdapterState.PARAMS, Numbers.of(start(files, adapters)));
      model.run(g, files.denoiserInputs(), 1, IMAGES);
      Map<String, float[]> gradients = model.byModule(AdapterState.GRADS);
      gradients.keySet().forEach(k -> files.check(gradients, k, "grad." + k, 0.15));
    }
  }
}
