package org.loranative.model.diffusion.families.sd3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.LoraInit;
import org.loranative.lora.NamedLayers;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Golden;

/** Adapters of Stable Diffusion 3 in the files of other tools, in which q, k and v are one. */
class Sd3NamesTest {
  private static final NamedLayers LAYERS =
      DiffusionFamilies.open(Golden.FOLDER.resolve("sd35/base")).layers();
  private static final String BLOCK = "transformer.transformer_blocks.0.attn.";
  private static final String QKV = "lora_unet_joint_blocks_0_x_block_attn_qkv";

  private final Random random = new Random(4);

  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void name() {
    file = folder.resolve("lora.safetensors");
  }

  private static Adapters.Target target(String path) {
    return LAYERS.targets().stream().filter(t -> t.path().equals(path)).findFirst().orElseThrow();
  }

  private float[] normal(long n) {
    float[] x = new float[(int) n];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private AdaptedLayer lora(String path, int rank, double alpha) {
    Adapters.Target t = target(path);
    return AdaptedLayer.lowRank(
        t, alpha, new AdaptedLayer.LowRank(rank, normal(rank * t.in()), normal(rank * t.out())));
  }

  private Map<String, AdaptedLayer> throughKohya(Map<String, AdaptedLayer> layers)
      throws Exception {
    LoraFiles.write(file, LoraFiles.Format.KOHYA, layers, LAYERS, Map.of());
    return LoraFiles.read(file, LAYERS);
  }

  /** ΔW [out, in]. */
  private static double[] change(AdaptedLayer layer) {
    AdaptedLayer.LowRank m = layer.lowRank().orElseThrow();
    int in = (int) layer.target().in();
    int out = (int) layer.target().out();
    double[] w = new double[out * in];
    for (int o = 0; o < out; o++) {
      for (int k = 0; k < m.rank(); k++) {
        for (int i = 0; i < in; i++) {
          w[o * in + i] += layer.scale() * m.b()[o * m.rank() + k] * m.a()[k * in + i];
        }
      }
    }
    return w;
  }

  @Test
  void qkvAreOneAndApartAgain() throws Exception {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    for (String name : List.of("to_q", "to_k", "to_v", "add_q_proj", "to_out.0", "to_add_out")) {
      layers.put(BLOCK + name, lora(BLOCK + name, 4, 8));
    }
    Map<String, AdaptedLayer> read = throughKohya(layers);
    Map<String, TensorEntry> tensors = Safetensors.read(file).tensors();
    long width = target(BLOCK + "to_q").out();
    assertThat(tensors.get(QKV + ".lora_down.weight").shape()).containsExactly(12L, width);
    assertThat(tensors.get(QKV + ".lora_up.weight").shape()).containsExactly(3 * width, 12L);
    assertThat(tensors)
        .containsKeys(
            "lora_unet_joint_blocks_0_context_block_attn_qkv.lora_up.weight",
            "lora_unet_joint_blocks_0_x_block_attn_proj.alpha",
            "lora_unet_joint_blocks_0_context_block_attn_proj.alpha");
    assertThat(read.keySet()).containsExactlyInAnyOrderElementsOf(layers.keySet());
    layers.forEach(
        (path, layer) -> {
          assertThat(read.get(path).rank()).as(path).isEqualTo(4);
          assertThat(read.get(path).alpha()).isEqualTo(8);
          assertThat(read.get(path).numbers("lora_A")).isEqualTo(layer.numbers("lora_A"));
          assertThat(read.get(path).numbers("lora_B")).isEqualTo(layer.numbers("lora_B"));
        });
  }

  @Test
  void someOfThemOfOtherRanksAndScales() throws Exception {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    layers.put(BLOCK + "to_q", lora(BLOCK + "to_q", 3, 1.5));
    layers.put(BLOCK + "to_v", lora(BLOCK + "to_v", 2, 5));
    Map<String, AdaptedLayer> read = throughKohya(layers);
    assertThat(read.keySet()).isEqualTo(layers.keySet());
    layers.forEach(
        (path, layer) -> {
          assertThat(read.get(path).rank()).isEqualTo(layer.rank());
          assertThat(change(read.get(path))).containsExactly(change(layer), within(1e-4));
        });
  }

  /** Kohya's scripts train one A for all three: it must not become three times as large. */
  @Test
  void whatKohyaTrainedComesBackAsItWas() throws Exception {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    float[] a = normal(4 * target(BLOCK + "to_q").in());
    for (String name : List.of("to_q", "to_k", "to_v")) {
      Adapters.Target t = target(BLOCK + name);
      layers.put(
          t.path(),
          AdaptedLayer.lowRank(t, 2, new AdaptedLayer.LowRank(4, a, normal(4 * t.out()))));
    }
    Map<String, AdaptedLayer> read = throughKohya(layers);
    assertThat(Safetensors.read(file).tensors().get(QKV + ".lora_down.weight").shape().get(0))
        .isEqualTo(4);
    layers.forEach(
        (path, layer) ->
            assertThat(read.get(path).numbers())
                .usingRecursiveComparison()
                .isEqualTo(layer.numbers()));
  }

  /** A layer that has learnt nothing is kept: B of zeros beside others'. */
  @Test
  void untrainedLayersStay() throws Exception {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    for (String name : List.of("to_q", "to_k", "to_v")) {
      AdaptedLayer whole = lora(BLOCK + name, 2, 2);
      float[] b =
          name.equals("to_k") ? new float[2 * (int) whole.target().out()] : whole.numbers("lora_B");
      layers.put(
          BLOCK + name,
          AdaptedLayer.lowRank(
              whole.target(), 2, new AdaptedLayer.LowRank(2, whole.numbers("lora_A"), b)));
    }
    assertThat(throughKohya(layers).keySet()).isEqualTo(layers.keySet());
  }

  /** The original has these two with their halves exchanged. */
  @Test
  void exchangedLayersKeepDiffusersNames() throws Exception {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    for (String path :
        List.of("transformer.norm_out.linear", "transformer.transformer_blocks.0.norm1.linear")) {
      layers.put(path, lora(path, 2, 2));
    }
    assertThat(throughKohya(layers).keySet()).isEqualTo(layers.keySet());
    assertThat(Safetensors.read(file).tensors())
        .containsKeys(
            "lora_transformer_norm_out_linear.alpha",
            "lora_unet_joint_blocks_0_x_block_adaLN_modulation_1.alpha");
  }

  @Test
  void otherKindsGoByThemselves() throws Exception {
    Adapters.Target t = target(BLOCK + "to_q");
    AdaptedLayer loha =
        new AdaptedLayer(
            t,
            AdapterMethods.named("loha", new AdapterMethod.Choices(-1, LoraInit.DEFAULT, 1))
                .orElseThrow(),
            2,
            2,
            Numbers.of(
                Map.of(
                    "hada_w1_a", normal(2 * t.out()),
                    "hada_w1_b", normal(2 * t.in()),
                    "hada_w2_a", normal(2 * t.out()),
                    "hada_w2_b", normal(2 * t.in()))),
            false);
    assertThat(throughKohya(Map.of(t.path(), loha))).containsOnlyKeys(t.path());
    assertThat(Safetensors.read(file).tensors())
        .containsKey("lora_transformer_transformer_blocks_0_attn_to_q.hada_w1_a");
  }
}
