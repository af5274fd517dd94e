package org.loranative.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.loranative.device.Device;
import org.loranative.graph.Graph;
import org.loranative.graph.Recompute;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterState;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;
import org.loranative.lora.NamedLayers;
import org.loranative.lora.PeftFormat;
import org.loranative.model.diffusion.DenoisingObjective;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.DiffusionGraph;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.model.llm.LlmBase;
import org.loranative.model.llm.LlmGraph;
import org.loranative.model.llm.SupervisedObjective;
import org.loranative.model.weights.Weights;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.PlacedModel;
import org.loranative.testing.TestDevices;

/**
 * Each kind of adapter against peft and lycoris-lora, in their own files: loss, every gradient, ten
 * AdamW steps, of linear layers and convolutions.
 */
class AdapterGoldenTest {
  private static final Path FOLDER = Golden.FOLDER.resolve("adapters");
  private static final int IMAGES = 2;
  private static final Map<String, Device> DEVICES = new HashMap<>();

  @BeforeAll
  static void open() {
    TestDevices.MODELS.forEach(n -> DEVICES.put(n, TestDevices.open(n)));
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Device::close);
  }

  /** A model with an adapter of another tool, and what that tool made of it. */
  private static final class Model implements AutoCloseable {
    final Path folder;
    final Weights weights;
    final boolean language;

    /** Reads an adapter as the tool wrote it. */
    final Function<Path, Map<String, AdaptedLayer>> reader;

    final Adapters adapters;
    final float[] start;
    final Graph training;
    final Map<String, Object> inputs = new HashMap<>();
    final int denominator;
    final PlacedModel placed;

    Model(String device, String name) {
      folder = FOLDER.resolve(name);
      Map<String, float[]> constants = Map.of();
      language = !name.startsWith("sd-");
      if (language) {
        Path of = Golden.FOLDER.resolve(name.endsWith("-untied") ? "llama-linear" : "llama");
        LlmBase base = LlmBase.open(of.resolve("base"));
        Golden golden = new Golden(of.resolve("golden.safetensors"));
        weights = base.weights();
        List<Adapters.Target> targets = base.adaptable();
        reader = f -> PeftFormat.read(f, targets);
        adapters = plus(name, PeftFormat.adapters(folder.resolve("start"), targets), targets);
        start = PeftFormat.read(folder.resolve("start"), adapters).all();
        constants = base.constants();
        int tokens = golden.ints("ids").length;
        int[] positions = new int[tokens];
        int[] starts = new int[tokens];
        for (int i = 0; i < tokens; i++) {
          starts[i] = i < 7 ? 0 : 7; // make_golden.py's documents
          positions[i] = i - starts[i];
        }
        inputs.put(LlmGraph.IDS, golden.ints("ids"));
        inputs.put(LlmGraph.LABELS, golden.ints("labels"));
        inputs.put(LlmGraph.POSITIONS, positions);
        inputs.put(LlmGraph.DOC_START, starts);
        denominator =
            (int) Arrays.stream(golden.ints("labels")).filter(label -> label >= 0).count();
        training =
            LlmGraph.training(base, adapters, DType.F32, new SupervisedObjective(), tokens, 13);
      } else {
        DiffusionBase base = DiffusionFamilies.open(Golden.FOLDER.resolve("sd15/base"));
        Golden golden = new Golden(Golden.FOLDER.resolve("sd15/golden.safetensors"));
        weights = base.weights();
        NamedLayers named = base.layers();
        reader = f -> LoraFiles.read(f, named);
        Map<String, AdaptedLayer> layers = read("start");
        adapters =
            new Adapters(
                layers.values().stream().map(AdapterGoldenTest::spec).toList(), named.targets());
        start = new float[(int) adapters.floats()];
        for (Adapters.Module m : adapters.modules()) {
          for (Adapters.Place p : m.parts()) {
            float[] numbers = layers.get(m.path()).numbers(p.part().name());
            System.arraycopy(numbers, 0, start, (int) p.offset(), numbers.length);
          }
        }
        for (String input : List.of("latents", "timesteps", "text", "target", "weights")) {
          inputs.put(input, golden.floats(input));
        }
        denominator = IMAGES;
        training =
            DiffusionGraph.training(
                base,
                adapters,
                DType.F32,
                new DiffusionGraph.Size(IMAGES, 6, 10, 12),
                false,
                0,
                new DenoisingObjective(0));
      }
      placed = new PlacedModel(DEVICES.get(device), weights, adapters, constants, training);
      placed.state().write(AdapterState.PARAMS, Numbers.of(start));
    }

    /** The adapter called {@code name} as the tool wrote it. */
    Map<String, AdaptedLayer> read(String name) {
      Path file = folder.resolve(name + ".safetensors");
      return reader.apply(Files.exists(file) ? file : folder.resolve(name));
    }

    float run(Graph graph, int step) {
      return placed.run(graph, inputs, step, denominator).get("loss")[0];
    }

    /** Every part of {@code slot} against the tool's file of that name. */
    void check(String slot, String name, double tolerance) {
      Map<String, AdaptedLayer> expected = read(name);
      Numbers flat = placed.state().numbers(slot);
      assertThat(adapters.modules()).hasSameSizeAs(expected.keySet());
      for (Adapters.Module m : adapters.modules()) {
        AdaptedLayer layer = expected.get(m.path());
        assertThat(m.parts()).isNotEmpty();
        for (Adapters.Place p : m.parts()) {
          assertThat(Errors.relative(p.of(flat).all(), layer.numbers(p.part().name())))
              .as(name + " of " + m.path() + "." + p.part().name())
              .isLessThan(tolerance);
        }
      }
    }

    @Override
    public void close() {
      placed.close();
    }
  }

  /** Names that end so were trained by LoRA+, B at four times A's rate. */
  private static Adapters plus(String name, Adapters read, List<Adapters.Target> targets) {
    double ratio = name.endsWith("-plus") ? 4 : 1;
    AdapterMethod.Choices setting = new AdapterMethod.Choices(-1, LoraInit.DEFAULT, ratio);
    return ratio == 1
        ? read
        : new Adapters(
            read.specs().stream()
                .map(
                    s ->
                        new LoraSpec(
                            s.method().with(setting),
                            s.rank(),
                            s.alpha(),
                            0,
                            s.targets(),
                            false,
                            1))
                .toList(),
            targets);
  }

  private static LoraSpec spec(AdaptedLayer layer) {
    return new LoraSpec(
        layer.method(), layer.rank(), layer.alpha(), 0, List.of(layer.target().path()), false, 1);
  }

  /** The check build takes minutes for a UNet: there language models stand for both. */
  static Stream<Arguments> all() throws Exception {
    try (Stream<Path> cases = Files.list(FOLDER)) {
      List<String> names = cases.map(c -> c.getFileName().toString()).sorted().toList();
      return TestDevices.models(
              names, names.stream().filter(n -> !n.startsWith("sd-")).collect(Collectors.toSet()))
          .filter(
              a -> !a.get()[0].equals("cuda-check") || !a.get()[1].toString().startsWith("sd-"));
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void matchesThePeer(String device, String name) {
    try (Model model = new Model(device, name)) {
      Golden golden = new Golden(model.folder.resolve("losses.safetensors"));
      int steps =
          device.equals("cpu") ? 10 : model.language && !device.equals("cuda-check") ? 10 : 1;
      float[] losses = new float[steps];
      Graph update = model.placed.update();
      for (int step = 1; step <= steps; step++) {
        losses[step - 1] = model.run(model.training, step);
        if (step == 1) {
          model.check(AdapterState.GRADS, "gradients", 1e-4);
        }
        model.placed.run(update, model.inputs, step, model.denominator);
      }
      float[] expected = Arrays.copyOf(golden.floats("losses"), steps);
      assertThat(Errors.relative(losses, expected)).as("losses").isLessThan(1e-4);
      if (steps == 10) {
        model.check(AdapterState.PARAMS, "final", 1e-3);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void recomputingGivesTheSameBits(String device, String name) {
    // Recompute knows no device: language models stand for both where a UNet takes long.
    org.junit.jupiter.api.Assumptions.assumeTrue(
        device.equals("cpu") || device.equals("cuda-emu") && !name.startsWith("sd-"));
    try (Model model = new Model(device, name)) {
      model.run(model.training, 1);
      float[] expected = model.placed.state().numbers(AdapterState.GRADS).all();
      for (Recompute.Mode mode : Recompute.Mode.values()) {
        Map<String, Recompute.Mode> modes = new HashMap<>();
        Recompute.blocks(model.training).forEach(b -> modes.put(b, mode));
        model.placed.state().write(AdapterState.GRADS, Numbers.of(new float[expected.length]));
        model.run(Recompute.apply(model.training, modes), 1);
        assertThat(model.placed.state().numbers(AdapterState.GRADS).all())
            .as(mode.name())
            .isEqualTo(expected);
      }
    }
  }
}
