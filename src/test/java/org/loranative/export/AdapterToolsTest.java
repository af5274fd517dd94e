package org.loranative.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.io.JsonFile;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.Adapters;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.RankRule;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.Seeded;

/** Adapters made of adapters, and of the difference of two models. */
@ExtendWith(Seeded.class)
class AdapterToolsTest {
  private static final int RANK = 3;
  private static final Pattern ORIGINAL =
      Pattern.compile("diffusion_model\\.(input_blocks|middle_block|output_blocks)\\.(\\d*)");
  private static final Map<String, String> KINDS =
      Map.of("input_blocks", "IN", "middle_block", "M", "output_blocks", "OUT");

  @TempDir Path folder;

  private static DiffusionBase base(String name) {
    Path in = Golden.FOLDER.resolve(name);
    Path file = in.resolve("model.safetensors");
    return DiffusionFamilies.open(Files.exists(file) ? file : in.resolve("base"));
  }

  private static float[] random(Random random, long n, double size) {
    float[] x = new float[Math.toIntExact(n)];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) (size * random.nextGaussian());
    }
    return x;
  }

  private Path adapter(DiffusionBase model, Random random, String name, List<Adapters.Target> of)
      throws Exception {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    for (Adapters.Target t : of) {
      layers.put(
          t.path(),
          AdaptedLayer.lowRank(
              t,
              2,
              new AdaptedLayer.LowRank(
                  RANK, random(random, RANK * t.in(), 0.3), random(random, RANK * t.out(), 0.3))));
    }
    Path file = folder.resolve(name + ".safetensors");
    new AdapterBase.Diffusion(model).write("kohya", Optional.empty(), layers, file);
    return file;
  }

  private static Map<String, float[]> gains(DiffusionBase model, Path adapter) {
    Map<String, float[]> gains = new LinkedHashMap<>();
    LoraFiles.read(adapter, model.layers())
        .forEach(
            (path, layer) -> {
              int in = Math.toIntExact(layer.target().in());
              int out = Math.toIntExact(layer.target().out());
              float[] gain = new float[out * in];
              float[] row = new float[in];
              for (int o = 0; o < out; o++) {
                Arrays.fill(row, 0);
                layer.method().merge(layer, o, row);
                System.arraycopy(row, 0, gain, o * in, in);
              }
              gains.put(path, gain);
            });
    return gains;
  }

  private static double[] wide(float[] x, double by, float[] y, double byY) {
    double[] sum = new double[x.length];
    for (int i = 0; i < sum.length; i++) {
      sum[i] = by * x[i] + byY * y[i];
    }
    return sum;
  }

  /** What was merged is what is extracted, of matrices, convolutions and transposed weights. */
  @ParameterizedTest
  @ValueSource(strings = {"sd15", "sdxl", "single-sd1", "single-sd2", "single-xl"})
  void extractsWhatWasMerged(String name, Random random) throws Exception {
    DiffusionBase model = base(name);
    Path adapter = adapter(model, random, "lora", model.layers().targets());
    Path out = folder.resolve(Files.isDirectory(model.path()) ? "merged" : "merged.safetensors");
    new DiffusionMerge(model, List.of(new AdapterSource(adapter, 1))).write(out, "f32");
    DiffusionBase tuned = DiffusionFamilies.open(out);

    Extraction all = Extraction.of(model, tuned, true, new RankRule.Fixed(RANK), RANK);
    assertThat(all.left()).isEmpty();
    assertThat(all.same()).isZero();
    Path extracted = folder.resolve("extracted.safetensors");
    new AdapterBase.Diffusion(model)
        .write("kohya", Optional.empty(), all.part().layers(), extracted);
    Map<String, float[]> expected = gains(model, adapter);
    Map<String, float[]> actual = gains(model, extracted);
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (path, gain) ->
            assertThat(Errors.relative(actual.get(path), gain))
                .as("%s, %s", path, Seeded.again())
                .isLessThan(1e-4));
    assertThat(Safetensors.read(extracted).texts())
        .containsEntry("ss_network_dim", "3")
        .containsEntry("ss_network_module", "networks.lora");

    Extraction denoiser = Extraction.of(model, tuned, false, new RankRule.Fixed(1), 1);
    assertThat(denoiser.part().layers().keySet()).allMatch(p -> p.startsWith("unet."));
    assertThat(denoiser.left()).isNotEmpty().allMatch(t -> t.startsWith("text_encoder"));
    assertThat(denoiser.describe()).contains("tensors differ that the adapter does not hold");
    assertThatThrownBy(() -> Extraction.of(model, model, true, new RankRule.Fixed(1), 1))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("do not differ");
  }

  /** Half of the numbers are rounded away: that is no difference. */
  @Test
  void anotherTypeIsNoDifference() throws Exception {
    DiffusionBase model = base("single-sd1");
    Path narrow = folder.resolve("narrow.safetensors");
    new DiffusionMerge(model, List.of()).write(narrow, "f16");
    DiffusionBase half = DiffusionFamilies.open(narrow);
    assertThat(half.weights().entry("unet.conv_in.weight").type()).isEqualTo("F16");
    assertThatThrownBy(() -> Extraction.of(model, half, true, new RankRule.Fixed(1), 1))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("do not differ");
  }

  @Test
  void modelsOfOtherShapesAreRefused() {
    assertThatThrownBy(
            () -> Extraction.of(base("sd15"), base("sdxl"), false, new RankRule.Fixed(1), 1))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("models of different shapes");
  }

  /** Some layers in one adapter, some in the other, some in both. */
  @Test
  void combines(Random random) throws Exception {
    DiffusionBase model = base("sd15");
    List<Adapters.Target> targets = model.layers().targets();
    int n = targets.size();
    Path one = adapter(model, random, "one", targets.subList(0, 2 * n / 3));
    Path other = adapter(model, random, "other", targets.subList(n / 3, n));
    AdapterBase of = new AdapterBase.Diffusion(model);
    Map<String, AdaptedLayer> both =
        Merge.layers(
            AdapterSource.mix(
                List.of(new AdapterSource(one, 0.7), new AdapterSource(other, -0.4)), of));
    Path exact = folder.resolve("exact.safetensors");
    of.write("diffusers", Optional.empty(), both, exact);
    Path taken = folder.resolve("taken.safetensors");
    Resized resized = Resized.of(of, both, new RankRule.Fixed(2 * RANK), 2 * RANK);
    of.write("kohya", Optional.empty(), resized.layers(), taken);
    Map<String, float[]> first = gains(model, one);
    Map<String, float[]> second = gains(model, other);
    for (Path file : List.of(exact, taken)) {
      Map<String, float[]> sum = gains(model, file);
      assertThat(sum).hasSize(n);
      sum.forEach(
          (path, gain) -> {
            float[] none = new float[gain.length];
            double[] expected =
                wide(first.getOrDefault(path, none), 0.7, second.getOrDefault(path, none), -0.4);
            assertThat(Errors.relative(gain, expected)).as(path).isLessThan(1e-5);
          });
    }
  }

  /** What is no LoRA becomes LoRA of what the weight gains, of DoRA with the base in it. */
  @ParameterizedTest
  @ValueSource(strings = {"dora", "loha", "lokr"})
  void othersBecomeLora(String method) throws Exception {
    DiffusionBase model = base("sd15");
    AdapterBase of = new AdapterBase.Diffusion(model);
    Map<String, AdaptedLayer> layers = of.read(trained(method));
    assertThat(layers.values()).allMatch(layer -> layer.lowRank().isEmpty());
    Resized resized = Resized.of(of, layers, new RankRule.Frobenius(1), 1000);
    try (LayerWeights weights = new LayerWeights(model.weights())) {
      layers.forEach(
          (path, layer) -> {
            float[] expected = weights.gain(layer);
            float[] actual = weights.gain(resized.layers().get(path));
            assertThat(Errors.relative(actual, expected)).as(path).isLessThan(1e-4);
          });
    }
  }

  /** PEFT's own folder comes out as it went in: keys, shapes, numbers, configuration. */
  @Test
  void writesPeftsFolderAsPeftDoes() throws Exception {
    DiffusionBase model = DiffusionFamilies.open(Path.of("models/emoji-sd"));
    AdapterBase of = new AdapterBase.Diffusion(model);
    Path theirs = Golden.FOLDER.resolve("lora/unet");
    Path ours = folder.resolve("peft");
    of.write("peft", Optional.of(theirs), of.read(theirs), ours);
    Map<String, TensorEntry> expected =
        Safetensors.read(theirs.resolve("adapter_model.safetensors")).tensors();
    Map<String, TensorEntry> actual =
        Safetensors.read(ours.resolve("adapter_model.safetensors")).tensors();
    assertThat(actual.keySet()).isEqualTo(expected.keySet());
    actual.forEach(
        (name, tensor) -> {
          assertThat(tensor.shape()).as(name).isEqualTo(expected.get(name).shape());
          assertThat(Safetensors.floats(tensor)).isEqualTo(Safetensors.floats(expected.get(name)));
        });
    JsonNode config = JsonFile.read(ours.resolve("adapter_config.json"));
    JsonNode known = JsonFile.read(theirs.resolve("adapter_config.json"));
    for (String key : List.of("r", "peft_type", "rank_pattern", "task_type")) {
      assertThat(config.path(key)).as(key).isEqualTo(known.path(key));
    }
    assertThat(config.path("lora_alpha").asDouble()).isEqualTo(6);
    assertThat(config.path("target_modules"))
        .extracting(JsonNode::asText)
        .as("PEFT takes every module whose name ends so")
        .contains("to_q", "mid_block.attentions.0.transformer_blocks.0.ff.net.2")
        .doesNotContain("2");

    Path kohya = Golden.FOLDER.resolve("lora/kohya.safetensors");
    assertThatThrownBy(
            () -> of.write("peft", Optional.of(kohya), of.read(kohya), folder.resolve("no")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("changes text_encoder.");
  }

  /** Convolutions too, and every kind. */
  @ParameterizedTest
  @ValueSource(strings = {"lora", "dora", "loha", "lokr"})
  void readsThePeftFolderThatItWrote(String method, Random random) throws Exception {
    DiffusionBase model = base("sd15");
    AdapterBase of = new AdapterBase.Diffusion(model);
    List<Adapters.Target> unet =
        model.layers().targets().stream().filter(t -> t.path().startsWith("unet.")).toList();
    Path source = method.equals("lora") ? adapter(model, random, "lora", unet) : trained(method);
    Map<String, AdaptedLayer> layers = of.read(source);
    Path out = folder.resolve("peft");
    of.write("peft", Optional.of(source), layers, out);
    Map<String, AdaptedLayer> read = of.read(out);
    assertThat(read.keySet()).isEqualTo(layers.keySet());
    try (LayerWeights weights = new LayerWeights(model.weights())) {
      layers.forEach(
          (path, layer) ->
              assertThat(Errors.relative(weights.gain(read.get(path)), weights.gain(layer)))
                  .as(path)
                  .isLessThan(1e-5));
    }
  }

  /** What a file said of its tensors and of its kind goes, what it said of its training stays. */
  @Test
  void metadataOfWhatWasIsNotKept() throws Exception {
    DiffusionBase model = base("sd15");
    AdapterBase of = new AdapterBase.Diffusion(model);
    Map<String, AdaptedLayer> loha = of.read(trained("loha"));
    Path source = folder.resolve("source.safetensors");
    Map<String, String> said =
        Map.of(
            "ss_network_module", "lycoris.kohya",
            "ss_network_args", "{\"algo\": \"loha\"}",
            "sshs_model_hash", "0123",
            "sshs_legacy_hash", "45",
            "ss_tag", "kept");
    Safetensors.Tensor tensor =
        new Safetensors.Tensor("x", DType.F32, List.of(1L), ByteBuffer.allocate(4));
    Safetensors.write(source, List.of(tensor), said);
    Path small = folder.resolve("small.safetensors");
    Resized resized = Resized.of(of, loha, new RankRule.Fixed(2), 2);
    of.write("kohya", Optional.of(source), resized.layers(), small);
    assertThat(Safetensors.read(small).texts())
        .containsEntry("ss_tag", "kept")
        .containsEntry("ss_network_module", "networks.lora")
        .containsEntry("ss_network_dim", "2")
        .doesNotContainKeys("ss_network_args", "sshs_model_hash", "sshs_legacy_hash");
    Path same = folder.resolve("same.safetensors");
    of.write("kohya", Optional.of(source), loha, same);
    assertThat(Safetensors.read(same).texts())
        .containsEntry("ss_network_args", "{\"algo\": \"loha\"}")
        .doesNotContainKeys("sshs_model_hash", "sshs_legacy_hash");
  }

  /** Blocks have the numbers that the original's names have. */
  @ParameterizedTest
  @ValueSource(strings = {"single-sd1", "single-sd2", "single-xl"})
  void blocksAreTheOriginals(String name) {
    DiffusionBase model = base(name);
    LayerBlocks blocks = model.family().blocks();
    List<String> all = blocks.orders().get(1);
    Set<String> met = new TreeSet<>();
    for (Adapters.Target t : model.layers().targets()) {
      String file = model.weights().entry(t.path() + ".weight").name();
      Matcher m = ORIGINAL.matcher(file);
      String expected =
          m.find()
              ? String.format(
                  "%s%02d",
                  KINDS.get(m.group(1)),
                  m.group(1).equals("middle_block") ? 0 : Integer.parseInt(m.group(2)))
              : "BASE";
      assertThat(blocks.block(t.path())).as(file).isEqualTo(expected);
      assertThat(all).contains(expected);
      met.add(expected);
    }
    assertThat(met).hasSize(all.size()); // none is listed that the model has not
    assertThat(all).startsWith("BASE", "IN00", "IN01").containsSubsequence("M00", "OUT00");
    assertThat(blocks.orders().get(0)).isSubsetOf(all).startsWith("BASE").contains("M00");
  }

  @Test
  void weighsBlocks(Random random) throws Exception {
    DiffusionBase model = base("single-sd1");
    LayerBlocks blocks = model.family().blocks();
    List<String> order = blocks.orders().get(1);
    List<Double> weights = order.stream().map(b -> b.startsWith("OUT") ? 0 : 0.5).toList();
    Path adapter = adapter(model, random, "lora", model.layers().targets());
    AdapterBase of = new AdapterBase.Diffusion(model);
    Map<String, float[]> before = gains(model, adapter);
    Path out = folder.resolve("weighed.safetensors");
    of.write(
        "kohya",
        Optional.empty(),
        Merge.layers(
            AdapterSource.mix(
                List.of(new AdapterSource(adapter, 2, new BlockWeights(weights))), of)),
        out);
    Map<String, float[]> after = gains(model, out);
    before.forEach(
        (path, gain) -> {
          if (blocks.block(path).startsWith("OUT")) {
            assertThat(after).doesNotContainKey(path);
          } else {
            double[] same = wide(gain, 1, gain, 0);
            assertThat(Errors.relative(after.get(path), same)).as(path).isLessThan(1e-6);
          }
        });
    assertThatThrownBy(() -> of.weights(BlockWeights.of("1,1,0")))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("holds 3 numbers, but for this base it needs")
        .hasMessageContaining(order.size() + " (BASE, IN00");
    assertThatThrownBy(() -> BlockWeights.of("1,,0"))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("which is no number");
    List<Double> fewer = blocks.orders().get(0).stream().map(b -> 1.0).toList();
    assertThatThrownBy(
            () ->
                AdapterSource.mix(
                    List.of(new AdapterSource(adapter, 1, new BlockWeights(fewer))), of))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("--block-weights has no number for IN00");
  }

  /** As PEFT trained it in a folder, or LyCORIS in a file. */
  private static Path trained(String method) {
    Path in = Golden.FOLDER.resolve("adapters/sd-" + method);
    Path file = in.resolve("final.safetensors");
    return Files.exists(file) ? file : in.resolve("final");
  }
}
