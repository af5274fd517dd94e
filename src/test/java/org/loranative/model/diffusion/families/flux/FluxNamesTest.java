package org.loranative.model.diffusion.families.flux;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.config.Subject;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.AdapterMethod;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.Adapters;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LayerNames;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.LoraInit;
import org.loranative.lora.LoraSpec;
import org.loranative.lora.NamedLayers;
import org.loranative.lora.ReadBack;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.testing.Golden;

/** Adapters of FLUX.1 in the files of other tools. */
class FluxNamesTest {
  private static final DiffusionBase BASE =
      DiffusionFamilies.open(Golden.FOLDER.resolve("flux-dev/base"));
  private static final NamedLayers LAYERS = BASE.layers();
  private static final LayerNames NAMES = BASE.family().names();
  private static final String SINGLE = "transformer.single_transformer_blocks.1.";
  private static final String LINEAR1 = "lora_unet_single_blocks_1_linear1";

  private final Random random = new Random(4);

  @TempDir Path folder;

  private float[] normal(long n) {
    float[] x = new float[(int) n];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    return x;
  }

  private AdaptedLayer lora(Adapters.Target t, int rank) {
    return AdaptedLayer.lowRank(
        t, 8, new AdaptedLayer.LowRank(rank, normal(rank * t.in()), normal(rank * t.out())));
  }

  /** Kohya's names are those of Black Forest Labs' layers, dots and all. */
  @Test
  void kohyasNamesAreTheOriginals() {
    Path original = Golden.FOLDER.resolve("single-flux/transformer.safetensors");
    Set<String> expected =
        Safetensors.read(original).tensors().keySet().stream()
            .filter(n -> n.endsWith(".weight") && !n.contains("adaLN"))
            .map(n -> "lora_unet_" + n.replace(".weight", "").replace('.', '_'))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> ours =
        LAYERS.targets().stream()
            .map(Adapters.Target::path)
            .filter(p -> p.startsWith("transformer.") && !p.endsWith("norm_out.linear"))
            .map(p -> NAMES.fused(p).map(LayerNames.Place::kohya).orElse(NAMES.kohya(p)))
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(ours).isEqualTo(expected);
    assertThat(NAMES.kohya("text_encoder.encoder.layers.0.mlp.fc1"))
        .isEqualTo("lora_te1_text_model_encoder_layers_0_mlp_fc1");
  }

  /** Layers that are one in the original go by themselves where their adapters cannot be one. */
  @Test
  void whatCannotBeOneGoesByItself() throws Exception {
    for (String method : List.of("dora", "loha", "lokr")) {
      LoraSpec spec =
          new LoraSpec(
              AdapterMethods.named(method, new AdapterMethod.Choices(-1, LoraInit.DEFAULT, 1))
                  .orElseThrow(),
              2,
              4,
              0,
              List.of("to_q", "to_k"),
              false,
              1);
      Adapters adapters = new Adapters(spec, LAYERS.targets());
      Numbers params = Numbers.of(normal(adapters.floats()));
      Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
      adapters.modules().forEach(m -> layers.put(m.path(), AdaptedLayer.of(m, params, false)));
      Path file = folder.resolve(method + ".safetensors");
      LoraFiles.write(file, LoraFiles.Format.KOHYA, layers, LAYERS, Map.of());
      assertThat(Safetensors.read(file).tensors().keySet())
          .allMatch(n -> n.startsWith("lora_transformer_"));
      ReadBack.require(file, LoraFiles.read(file, LAYERS), adapters, params);
    }
  }

  /** What a message names to go on from: its file of the adapter, whatever that is called. */
  @Test
  void aCheckpointsFolderStandsForItsAdapter() throws Exception {
    Adapters.Target layer = LAYERS.targets().get(0);
    AdaptedLayer own = lora(layer, 2);
    Path checkpoint = Files.createDirectories(folder.resolve("checkpoint-8"));
    LoraFiles.write(
        checkpoint.resolve("mine.safetensors"),
        LoraFiles.Format.KOHYA,
        Map.of(layer.path(), own),
        LAYERS,
        Map.of());
    Files.writeString(checkpoint.resolve("optimizer.safetensors"), "state");
    assertThat(LoraFiles.read(checkpoint, LAYERS)).containsOnlyKeys(layer.path());
  }

  /** q, k and v are as wide as a token, the feed-forward beside them four times. */
  @Test
  void layersOfOtherHeightsAreOneAndApartAgain() throws Exception {
    Map<String, AdaptedLayer> layers = new LinkedHashMap<>();
    for (Adapters.Target t : LAYERS.targets()) {
      if (t.path().startsWith(SINGLE) && !t.path().contains("norm")) {
        layers.put(t.path(), lora(t, 3));
      }
    }
    assertThat(layers).hasSize(5);
    Path file = folder.resolve("lora.safetensors");
    LoraFiles.write(file, LoraFiles.Format.KOHYA, layers, LAYERS, Map.of());
    Map<String, TensorEntry> tensors = Safetensors.read(file).tensors();
    long width = 32;
    assertThat(tensors.get(LINEAR1 + ".lora_down.weight").shape()).containsExactly(12L, width);
    assertThat(tensors.get(LINEAR1 + ".lora_up.weight").shape()).containsExactly(7 * width, 12L);
    Map<String, AdaptedLayer> read = LoraFiles.read(file, LAYERS);
    assertThat(read.keySet()).isEqualTo(layers.keySet());
    layers.forEach(
        (path, layer) ->
            assertThat(read.get(path).numbers())
                .as(path)
                .usingRecursiveComparison()
                .isEqualTo(layer.numbers()));
  }

  @Test
  void groupsHoldWhatTheirNamesSay() {
    Map<String, String> groups = BASE.family().groups();
    List<String> paths = LAYERS.targets().stream().map(Adapters.Target::path).toList();
    assertThat(paths)
        .filteredOn(p -> p.matches(groups.get("dit-attention")))
        .hasSize(2 * 8 + 2 * 3);
    assertThat(paths).filteredOn(p -> p.matches(groups.get("dit-ff"))).hasSize(2 * 4 + 2 * 2);
    assertThat(paths)
        .filteredOn(p -> p.matches(groups.get("dit-modulation")))
        .hasSize(2 * 2 + 2 + 1);
    assertThat(Subject.ofFamily(BASE.family().name())).isEqualTo(Subject.FLUX);
    LayerBlocks blocks = BASE.family().blocks();
    assertThat(blocks.orders().get(0))
        .containsExactly("BASE", "DOUBLE0", "DOUBLE1", "SINGLE0", "SINGLE1");
    assertThat(blocks.block(SINGLE + "proj_mlp")).isEqualTo("SINGLE1");
    assertThat(blocks.block("transformer.x_embedder")).isEqualTo("BASE");
  }
}
