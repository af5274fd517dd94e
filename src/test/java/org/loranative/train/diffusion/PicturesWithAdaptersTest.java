package org.loranative.train.diffusion;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.loranative.UserException;
import org.loranative.export.AdapterSource;
import org.loranative.io.DType;
import org.loranative.io.Numbers;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;
import org.loranative.lora.AdaptedLayer;
import org.loranative.lora.AdapterMethods;
import org.loranative.lora.Adapters;
import org.loranative.lora.LoraFiles;
import org.loranative.lora.Mix;
import org.loranative.lora.NamedLayers;
import org.loranative.model.diffusion.DiffusionBase;
import org.loranative.model.diffusion.families.DiffusionFamilies;
import org.loranative.random.Philox;
import org.loranative.testing.Errors;
import org.loranative.testing.Golden;
import org.loranative.testing.TensorFiles;

/** Adapters in the formats of other tools change the image as diffusers changes it. */
class PicturesWithAdaptersTest {
  private static final DiffusionBase MODEL = DiffusionFamilies.open(Path.of("models/emoji-sd"));
  private static final Path FOLDER = Golden.FOLDER.resolve("lora");
  private static final Golden IMAGES = new Golden(FOLDER.resolve("images.safetensors"));

  @TempDir Path folder;

  private static NamedLayers layers(Adapters.Target... targets) {
    return new NamedLayers(List.of(targets), MODEL.family().names());
  }

  private float[] draw(List<AdapterSource> adapters) throws Exception {
    return EmojiPictures.draw(MODEL, adapters, EmojiPictures.latents(folder));
  }

  private static AdapterSource adapter(String file, double scale) {
    return new AdapterSource(FOLDER.resolve(file), scale);
  }

  @ParameterizedTest
  @ValueSource(strings = {"diffusers.safetensors", "kohya.safetensors"})
  void oneAdapter(String file) throws Exception {
    assertThat(Errors.relative(draw(List.of(adapter(file, 0.8))), IMAGES.floats("one")))
        .isLessThan(1e-3);
  }

  @Test
  void severalTogether() throws Exception {
    float[] mixed = draw(List.of(adapter("kohya.safetensors", 0.8), adapter("unet", 0.5)));
    assertThat(Errors.relative(mixed, IMAGES.floats("mixed"))).isLessThan(1e-3);
  }

  @Test
  void whatFitsNoLayerIsNamed() throws Exception {
    NamedLayers targets = MODEL.layers();
    List<Safetensors.Tensor> tensors = new ArrayList<>();
    for (TensorEntry e : Safetensors.read(FOLDER.resolve("kohya.safetensors")).tensors().values()) {
      ByteBuffer data = Safetensors.data(e);
      tensors.add(new Safetensors.Tensor(e.name(), DType.F16, e.shape(), data));
    }
    ByteBuffer two = ByteBuffer.allocate(4);
    tensors.add(
        new Safetensors.Tensor(
            "lora_unet_elsewhere.lora_down.weight", DType.F16, List.of(2L), two));
    Path file = folder.resolve("other.safetensors");
    Safetensors.write(file, tensors, Map.of());
    assertThatThrownBy(() -> LoraFiles.read(file, targets))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("holds 1 tensor for layers that this base model has not")
        .hasMessageContaining("lora_unet_elsewhere");
    Path half =
        TensorFiles.empty()
            .with("lora_unet_conv_in.lora_down.weight", List.of(1L, 36L), new float[36])
            .write(folder.resolve("half.safetensors"));
    assertThatThrownBy(() -> LoraFiles.read(half, targets))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lora_unet_conv_in")
        .hasMessageContaining("not whole");
    assertThatThrownBy(() -> LoraFiles.read(folder.resolve("nothing"), targets))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("does not exist");
  }

  /** Through both formats and back no effect, rank or note is lost. */
  @ParameterizedTest
  @ValueSource(strings = {"diffusers.safetensors", "kohya.safetensors", "unet"})
  void formatsTurnIntoEachOther(String file) throws Exception {
    NamedLayers targets = MODEL.layers();
    Map<String, AdaptedLayer> start =
        new LinkedHashMap<>(LoraFiles.read(FOLDER.resolve(file), targets));
    // One module of another rank and alpha, as a convolution of one pixel.
    Adapters.Target proj =
        targets.targets().stream()
            .filter(t -> t.path().endsWith("proj_in"))
            .findFirst()
            .orElseThrow();
    float[] a = new float[(int) proj.in() * 2];
    float[] b = new float[(int) proj.out() * 2];
    java.util.Arrays.fill(a, 0.25f);
    java.util.Arrays.fill(b, -3);
    start.put(
        proj.path(),
        new AdaptedLayer(
            proj,
            AdapterMethods.DEFAULT,
            2,
            5,
            Numbers.of(Map.of("lora_A", a, "lora_B", b)),
            true));
    Path kohya = folder.resolve("k.safetensors");
    Path diffusers = folder.resolve("d.safetensors");
    Map<String, String> note = Map.of("ss_network_dim", "4", "ss_seed", "7");
    LoraFiles.write(kohya, LoraFiles.Format.KOHYA, start, targets, note);
    Map<String, AdaptedLayer> second = LoraFiles.read(kohya, targets);
    LoraFiles.write(
        diffusers, LoraFiles.Format.DIFFUSERS, second, targets, LoraFiles.metadata(kohya));
    assertThat(LoraFiles.metadata(diffusers))
        .containsEntry("ss_seed", "7")
        .containsEntry("ss_network_dim", "Dynamic"); // the convolution's rank is 2
    Map<String, AdaptedLayer> third = LoraFiles.read(diffusers, targets);
    assertThat(third.keySet()).isEqualTo(start.keySet());
    start.forEach(
        (path, m) -> {
          AdaptedLayer end = third.get(path);
          assertThat(end.numbers("lora_A")).isEqualTo(m.numbers("lora_A"));
          assertThat(end.alpha()).isEqualTo(end.rank()); // the scale is in B
          float[] scaled = new float[m.numbers("lora_B").length];
          for (int i = 0; i < scaled.length; i++) {
            scaled[i] = (float) (m.numbers("lora_B")[i] * m.scale());
          }
          assertThat(end.numbers("lora_B")).isEqualTo(scaled);
          assertThat(end.convolution()).isEqualTo(m.convolution());
        });
    assertThat(Safetensors.read(kohya).tensors().keySet())
        .contains("lora_unet_" + proj.path().substring(5).replace('.', '_') + ".alpha");
  }

  /** The adapter of the goldens under the names of other tools, new and old. */
  @ParameterizedTest
  @CsvSource({
    "unet.*, '$0', .lora_A.default.weight, .lora_B.default.weight",
    "unet\\.(.*), '$1', .lora.down.weight, .lora.up.weight",
    "unet\\.(.*), diffusion_model.$1, .lora_A.weight, .lora_B.weight",
    "'unet\\.mid_block\\.attentions\\.0\\.(.*)', diffusion_model.middle_block.1.$1,"
        + " .lora_down.weight, .lora_up.weight",
    "'unet\\.(.*)(to_[qkv])', unet.$1processor.$2, _lora.down.weight, _lora.up.weight",
    "'unet\\.(.*)(to_out)\\.0', $1processor.$2, _lora.down.weight, _lora.up.weight",
    "'text_encoder\\.(.*)q_proj', text_encoder.text_model.$1to_q, _lora.down.weight,"
        + " _lora.up.weight",
    "text_encoder\\.(.*), text_encoder.text_model.$1, .lora_linear_layer.down.weight,"
        + " .lora_linear_layer.up.weight",
    "text_encoder\\.(.*), clip_l.text_model.$1, .lora_down.weight, .lora_up.weight",
    "text_encoder\\.(.*), clip_l.transformer.text_model.$1, .lora_down.weight, .lora_up.weight"
  })
  void namesOfOtherToolsAreRead(String ours, String theirs, String down, String up) {
    NamedLayers targets = MODEL.layers();
    Map<String, AdaptedLayer> golden = LoraFiles.read(FOLDER.resolve("kohya.safetensors"), targets);
    TensorFiles file = TensorFiles.empty();
    Map<String, AdaptedLayer> expected = new LinkedHashMap<>();
    golden.forEach(
        (path, m) -> {
          if (path.matches(ours)) {
            expected.put(path, m);
            String name = path.replaceFirst("^" + ours + "$", theirs);
            file.with(name + down, List.of((long) m.rank(), m.target().in()), m.numbers("lora_A"));
            file.with(name + up, List.of(m.target().out(), (long) m.rank()), m.numbers("lora_B"));
          }
        });
    assertThat(expected).isNotEmpty();
    var read = LoraFiles.read(file.write(folder.resolve("other.safetensors")), targets);
    assertThat(read.keySet()).isEqualTo(expected.keySet());
    expected.forEach(
        (path, m) -> {
          assertThat(read.get(path).numbers("lora_A")).isEqualTo(m.numbers("lora_A"));
          assertThat(read.get(path).numbers("lora_B")).isEqualTo(m.numbers("lora_B"));
        });
  }

  @ParameterizedTest
  @CsvSource({
    "lora_unet_x.hada_t1, LoHa or LoKr of three factors",
    "lora_unet_x.lokr_w1_a, LoKr whose first matrix is a product",
    "lora_unet_x.oft_blocks, OFT",
    "lora_unet_x.diff_b, differences",
    "bundle_emb.word.string_to_param.*, textual inversion"
  })
  void kindsThatAreNotLoraAreNamed(String tensor, String kind) {
    Path file =
        TensorFiles.like(FOLDER.resolve("kohya.safetensors"))
            .with(tensor, List.of(1L), 1)
            .write(folder.resolve("other.safetensors"));
    assertThatThrownBy(() -> LoraFiles.read(file, layers(new Adapters.Target("unet.x", 1, 1))))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("holds")
        .hasMessageContaining(kind)
        .hasMessageContaining(tensor);
  }

  /** Kinds that cannot be told apart, or put together, are refused and not cut down. */
  @Test
  void whatIsNotAllOfOneKindIsNamed() {
    Adapters.Target layer = new Adapters.Target("unet.x", 3, 3);
    TensorFiles file =
        TensorFiles.empty()
            .with("lora_unet_x.lora_down.weight", List.of(2L, 3L), 1, 2, 3, 4, 5, 6)
            .with("lora_unet_x.lora_up.weight", List.of(3L, 2L), 1, 2, 3, 4, 5, 6);
    Path columns =
        file.with("lora_unet_x.dora_scale", List.of(1L, 3L), 1, 2, 3)
            .write(folder.resolve("columns.safetensors"));
    assertThatThrownBy(() -> LoraFiles.read(columns, layers(layer)))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("lengths of the weight's columns");
    Path dora =
        file.with("lora_unet_x.dora_scale", List.of(3L, 1L), 1, 2, 3)
            .write(folder.resolve("dora.safetensors"));
    Map<String, AdaptedLayer> read = LoraFiles.read(dora, layers(layer));
    assertThat(read.get("unet.x").method().name()).isEqualTo("dora");
    assertThatThrownBy(
            () -> Mix.of(List.of(layer), List.of(new Mix.Part(read, 1), new Mix.Part(read, 1))))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("Several adapters change unet.x")
        .hasMessageContaining("DoRA");
  }

  /** A convolution in three factors: A is the product of the first two. */
  @Test
  void convolutionsInThreeFactors() {
    int rank = 2;
    int channels = 3;
    int out = 5;
    float[] down = Philox.normals(rank * channels, 1, Philox.NOISE, 0, 0);
    float[] mid = Philox.normals(rank * rank * 9, 2, Philox.NOISE, 0, 0);
    float[] up = Philox.normals(out * rank, 3, Philox.NOISE, 0, 0);
    Path file =
        TensorFiles.empty()
            .with("lora_unet_c.lora_down.weight", List.of(2L, 3L, 1L, 1L), down)
            .with("lora_unet_c.lora_mid.weight", List.of(2L, 2L, 3L, 3L), mid)
            .with("lora_unet_c.lora_up.weight", List.of(5L, 2L, 1L, 1L), up)
            .with("lora_unet_c.alpha", List.of(), 4)
            .write(folder.resolve("cp.safetensors"));
    Adapters.Target target = new Adapters.Target("unet.c", channels * 9, out, 3);
    AdaptedLayer read = LoraFiles.read(file, layers(target)).get("unet.c");
    assertThat(read.alpha()).isEqualTo(4);
    assertThat(read.convolution()).isTrue();
    // Down on a pixel, then mid over 3 x 3: ours is [rank, kernel, kernel, channels].
    for (int r = 0; r < rank; r++) {
      for (int tap = 0; tap < 9; tap++) {
        for (int c = 0; c < channels; c++) {
          double sum = 0;
          for (int j = 0; j < rank; j++) {
            sum += mid[(r * rank + j) * 9 + tap] * down[j * channels + c];
          }
          assertThat(read.numbers("lora_A")[(r * 9 + tap) * channels + c])
              .isCloseTo((float) sum, org.assertj.core.data.Offset.offset(1e-6f));
        }
      }
    }
  }

  /** ComfyUI's and OneTrainer's names for the parts of SDXL. */
  @ParameterizedTest
  @CsvSource({
    "diffusion_model.output_blocks.5.1.transformer_blocks.0.attn1.to_q,"
        + " unet.up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_q",
    "clip_g.transformer.text_model.encoder.layers.0.self_attn.q_proj,"
        + " text_encoder_2.encoder.layers.0.self_attn.q_proj",
    "clip_g.text_model.encoder.layers.0.mlp.fc1, text_encoder_2.encoder.layers.0.mlp.fc1",
    "clip_l.text_model.encoder.layers.0.mlp.fc1, text_encoder.encoder.layers.0.mlp.fc1"
  })
  void namesForPartsOfSdxlAreRead(String theirs, String ours) {
    NamedLayers targets =
        layers(
            new Adapters.Target("text_encoder.encoder.layers.0.mlp.fc1", 3, 3),
            new Adapters.Target("text_encoder_2.encoder.layers.0.mlp.fc1", 3, 3),
            new Adapters.Target("text_encoder_2.encoder.layers.0.self_attn.q_proj", 3, 3),
            new Adapters.Target(
                "unet.up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_q", 3, 3));
    Path file =
        TensorFiles.empty()
            .with(theirs + ".lora_down.weight", List.of(2L, 3L), 1, 2, 3, 4, 5, 6)
            .with(theirs + ".lora_up.weight", List.of(3L, 2L), 1, 2, 3, 4, 5, 6)
            .write(folder.resolve("other.safetensors"));
    assertThat(LoraFiles.read(file, targets)).containsOnlyKeys(ours);
  }

  /** kohya's names for SDXL are those of Stability's own code. */
  @Test
  void stabilityNamesAreRead() throws Exception {
    Path file = folder.resolve("sgm.safetensors");
    String path = "unet.up_blocks.1.attentions.2.transformer_blocks.0.attn1.to_q";
    String name = "lora_unet_output_blocks_5_1_transformer_blocks_0_attn1_to_q";
    List<Safetensors.Tensor> tensors = new ArrayList<>();
    for (String kind : List.of("down", "up")) {
      ByteBuffer data = ByteBuffer.allocate(2 * 3 * 4).order(ByteOrder.LITTLE_ENDIAN);
      data.asFloatBuffer().put(new float[] {1, 2, 3, 4, 5, 6});
      List<Long> shape = kind.equals("down") ? List.of(2L, 3L) : List.of(3L, 2L);
      tensors.add(
          new Safetensors.Tensor(name + ".lora_" + kind + ".weight", DType.F32, shape, data));
    }
    Safetensors.write(file, tensors, Map.of());
    assertThat(LoraFiles.read(file, layers(new Adapters.Target(path, 3, 3))))
        .containsOnlyKeys(path);
  }
}
